"""What encoders of images have in common: an embedding, and where the object is."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from dexgrasp_envs.errors import ConfigError

WORKSPACE_LOW = (0.20, -0.55, -0.1)
"""Lower corner of the box that is mapped to +-1: x, y in the world frame, height above the table, whose range is small
so that small objects stand out; m."""
WORKSPACE_HIGH = (0.95, 0.55, 0.1)
"""Upper corner of that box."""
POSITION_UNIT = 0.1
"""Unit in which object positions are predicted, and read by the actor, m."""
LARGE_IMAGE = 96 * 128
"""Pixels from which on another layer of stride 2 follows."""


@dataclass(frozen=True)
class EncoderConfig:
    """Architecture of an encoder; images of `LARGE_IMAGE` or more pixels get one more copy of the last layer.

    Raises:
        ConfigError: The tuples differ in length, or a value is below 1.
    """

    channels: tuple[int, ...] = (16, 32, 32)
    """Output channels of each convolution."""
    kernels: tuple[int, ...] = (4, 3, 3)
    """Side of each kernel, pixels."""
    strides: tuple[int, ...] = (4, 1, 2)
    """Stride of each convolution."""
    embedding: int = 128
    """Size of what the actor reads."""
    locator: int = 128
    """Hidden units of the network that finds the object, given the embedding and the robot's own posture."""

    def __post_init__(self) -> None:
        if not len(self.channels) == len(self.kernels) == len(self.strides) > 0:
            raise ConfigError(
                f"the encoder's channels, kernels and strides must list the same convolutions, got {self.channels}, "
                f"{self.kernels} and {self.strides}"
            )
        if min(*self.channels, *self.kernels, *self.strides, self.embedding, self.locator) < 1:
            raise ConfigError(f"the encoder's sizes must be at least 1, got {self}")

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """From what JSON makes of `asdict` of one; TypeError for an unknown field, ConfigError for a bad value."""
        return cls(**with_tuples(data))


class Encoder(nn.Module):
    """Images to an embedding and, with proprioception, a guess of where the object is.

    Proprioception tells fingers from object, which touch in the image: of grasps in progress it makes 4.7 cm 4.3.
    A subclass lists in `groups` what its `forward` takes, has its convolutions and calls `_read_out` with their size.

    Args:
        camera: `metadata["camera"]` of an environment.
    """

    groups: ClassVar[tuple[str, ...]]
    table_center: Tensor

    def __init__(self, camera: Mapping[str, Any]) -> None:
        super().__init__()
        low, high = torch.tensor(WORKSPACE_LOW), torch.tensor(WORKSPACE_HIGH)
        center = (low + high) / 2 + torch.tensor([0.0, 0.0, camera["table_height"]])
        # It follows from the camera, so checkpoints need not hold it.
        self.register_buffer("table_center", center, persistent=False)

    @abstractmethod
    def forward(self, *obs: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding [N, E] and predicted object position [N, 3] (world frame, m) of observations in `groups`' order."""

    def _read_out(self, features: int, proprio: int, config: EncoderConfig) -> None:
        """Make what follows the convolutions, whose output has `features` numbers, and draw all weights."""
        self.embed = nn.Sequential(nn.Linear(features, config.embedding), nn.LayerNorm(config.embedding), nn.ELU())
        last = nn.Linear(config.locator, 3)
        self.locate = nn.Sequential(nn.Linear(config.embedding + proprio, config.locator), nn.ELU(), last)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(module.weight, 0.01 if module is last else 2**0.5)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def _find(self, features: Tensor, proprio: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` returns, for features [N, F] and proprioception [N, P]."""
        embedding = self.embed(features)
        return embedding, self.table_center + POSITION_UNIT * self.locate(torch.cat([embedding, proprio], dim=-1))


def with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass as they were before JSON made lists of tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def convolutions(inputs: int, layers: list[tuple[int, int, int]]) -> nn.Sequential:
    """Convolutions (channels, kernel, stride) with ELU; one that overlaps itself is padded."""
    modules: list[nn.Module] = []
    for channels, kernel, stride in layers:
        padding = (kernel - 1) // 2 if stride < kernel else 0
        modules += [nn.Conv2d(inputs, channels, kernel, stride, padding=padding), nn.ELU()]
        inputs = channels
    return nn.Sequential(*modules)


def layers_for(config: EncoderConfig, camera: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """(channels, kernel, stride) of the convolutions for a camera's images."""
    layers = list(zip(config.channels, config.kernels, config.strides, strict=True))
    large = camera["height"] * camera["width"] >= LARGE_IMAGE
    return [*layers, (config.channels[-1], 3, 2)] if large else layers


def features_of(network: Callable[[Tensor], Tensor], image: Tensor, config: EncoderConfig) -> int:
    """Numbers that convolutions make of an image or pair [1 or 2, C, H, W]; ConfigError if it is too small for them."""
    try:
        with torch.no_grad():
            return network(image).numel()
    except RuntimeError as error:
        raise ConfigError(
            f"images of {image.shape[-2]} x {image.shape[-1]} pixels are too small for the encoder's kernels and "
            f"strides {config.kernels}, {config.strides}; take larger images or fewer convolutions"
        ) from error
