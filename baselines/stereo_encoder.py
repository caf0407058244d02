"""The eyes of a stereo student: one trunk for both images, then layers that see the two side by side."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .encoder import Encoder, EncoderConfig, convolutions, features_of, layers_for


class StereoEncoder(Encoder):
    """Encoder of a rectified pair. All convolutions but the last see each eye alone, with the same weights.

    The last one sees both at the same place, where a point appears in neighbouring cells at most: what lies between
    its two images is the disparity.

    Args:
        camera: `metadata["camera"]` of an environment.
        proprio: Size of the group `proprio`.
        config: Architecture; of at least two convolutions.

    Raises:
        ConfigError: The images are too small for the architecture.
    """

    groups = ("left", "right", "proprio")

    def __init__(self, camera: Mapping[str, Any], proprio: int, config: EncoderConfig) -> None:
        super().__init__(camera)
        layers = layers_for(config, camera)
        own = len(config.channels) - 1
        self.trunk = convolutions(3, layers[:own])
        self.fusion = convolutions(2 * config.channels[own - 1], layers[own:])
        eyes = torch.zeros(2, 3, camera["height"], camera["width"])
        self._read_out(features_of(self._look, eyes, config), proprio, config)

    def forward(self, left: Tensor, right: Tensor, proprio: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Embedding and predicted position for colours uint8 [N, 3, H, W] twice and proprioception [N, P]."""
        colours = torch.cat([left, right]).to(torch.float32).div_(127.5).sub_(1.0)  # fixed: means of images are cues
        return self._find(self._look(colours.contiguous(memory_format=torch.channels_last)).flatten(1), proprio)

    def _look(self, eyes: Tensor) -> Tensor:
        """Features [N, C, H, W] of images [2 N, 3, H, W], the left ones first."""
        return self.fusion(torch.cat(self.trunk(eyes).unflatten(0, (2, -1)).unbind(0), dim=1))
