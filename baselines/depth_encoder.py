"""The eyes of a depth policy: a point map from raw depth, and a small convolutional network over it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .encoder import WORKSPACE_HIGH, WORKSPACE_LOW, Encoder, EncoderConfig, convolutions, features_of, layers_for


class DepthEncoder(Encoder):
    """Encoder of raw depth.

    With a camera fixed in the world the network sees x, y and height above the table of every pixel's point, scaled
    by fixed constants: in raw depth a small object hides in the slope of the table. The nominal camera pose is used.
    With a camera on the robot it sees normalised depth. Either way the last channel says which pixels are valid.

    Args:
        camera: `metadata["camera"]` of an environment.
        proprio: Size of the group `proprio`.
        config: Architecture.

    Raises:
        ConfigError: The images are too small for the architecture.
    """

    groups = ("depth", "proprio")
    rays: Tensor
    origin: Tensor

    def __init__(self, camera: Mapping[str, Any], proprio: int, config: EncoderConfig) -> None:
        super().__init__(camera)
        self.depth_scale = float(camera["depth_scale"])
        half = (torch.tensor(WORKSPACE_HIGH) - torch.tensor(WORKSPACE_LOW)) / 2
        if camera["mount"] == "world":
            origin = (torch.tensor(camera["position"]) - self.table_center) / half
            rays = world_rays(camera) / half[:, None, None]
        else:
            near, far = camera["near"], camera["far"]
            origin = torch.tensor([-(far + near) / (far - near)])
            rays = torch.full((1, camera["height"], camera["width"]), 2 / (far - near))
        for name, value in {"rays": rays, "origin": origin[:, None, None]}.items():
            self.register_buffer(name, value.to(torch.float32), persistent=False)
        channels = len(rays) + 1
        self.convolutions = convolutions(channels, layers_for(config, camera))
        image = torch.zeros(1, channels, camera["height"], camera["width"])
        self._read_out(features_of(self.convolutions, image, config), proprio, config)

    def forward(self, depth: Tensor, proprio: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Embedding and predicted position for raw depth [N, 1, H, W] and proprioception [N, P]."""
        return self._find(self.convolutions(self.point_map(depth)).flatten(1), proprio)

    def metres(self, depth: Tensor) -> Tensor:
        """Depth in m, float32, for raw depth of any dtype; invalid pixels stay 0."""
        return depth.to(torch.float32) * self.depth_scale

    def point_map(self, depth: Tensor) -> Tensor:
        """What the network sees of raw depth [N, 1, H, W]: [N, C, H, W], all zero at invalid pixels."""
        metres = self.metres(depth)
        valid = (metres > 0).to(torch.float32)
        channels = torch.cat([torch.addcmul(self.origin, metres, self.rays).mul_(valid), valid], dim=1)
        return channels.contiguous(memory_format=torch.channels_last)  # trains 1.4 to 2.5 times faster


def world_rays(camera: Mapping[str, Any]) -> Tensor:
    """Direction in the world of every pixel's centre for a depth of 1 along the optical axis, float32 [3, H, W]."""
    u = torch.arange(camera["width"], dtype=torch.float64) + 0.5
    v = torch.arange(camera["height"], dtype=torch.float64) + 0.5
    y, x = torch.meshgrid((v - camera["cy"]) / camera["fy"], (u - camera["cx"]) / camera["fx"], indexing="ij")
    rotation = torch.tensor(camera["rotation"], dtype=torch.float64)
    return torch.einsum("ij,jhw->ihw", rotation, torch.stack([x, y, torch.ones_like(x)])).to(torch.float32)
