"""What an environment sees, as pictures for people: depth in colours, stereo images, all side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt

from ..config import STEREO_GROUPS

Picture = npt.NDArray[np.uint8]
"""[H, W, 3]."""


def panes(obs: Mapping[str, npt.NDArray[Any]]) -> dict[str, Picture]:
    """The images among the observation groups of one environment, by group: left, right and depth, where delivered."""
    found = {group: np.ascontiguousarray(np.moveaxis(obs[group], 0, -1)) for group in STEREO_GROUPS if group in obs}
    if "depth" in obs:
        found["depth"] = colour_depth(obs["depth"][0])
    return found


def colour_depth(depth: npt.NDArray[Any]) -> Picture:
    """A depth image [H, W] in colours, from bright at its nearest to dark at its farthest; invalid pixels are black."""
    metric = depth.astype(np.float64)
    seen = metric > 0
    low, high = (metric[seen].min(), metric[seen].max()) if seen.any() else (0.0, 1.0)
    colours = matplotlib.colormaps["viridis_r"]((metric - low) / max(high - low, 1e-9))[..., :3]
    colours[~seen] = 0.0
    return (255 * colours).astype(np.uint8)


def beside_panes(picture: Picture, obs: Mapping[str, npt.NDArray[Any]]) -> Picture:
    """The picture with the panes of `obs` to its right: one at full height, more at half, two above each other."""
    images = list(panes(obs).values())
    if not images:
        return picture
    height = picture.shape[0]
    if len(images) == 1:
        return np.concatenate([picture, enlarged(images[0], height)], 1)
    halves = [enlarged(image, height // 2) for image in images]
    columns = [halves[i : i + 2] for i in range(0, len(halves), 2)]
    return np.concatenate([picture, *(_column(images, height) for images in columns)], 1)


def enlarged(image: Picture, height: int) -> Picture:
    """An image [h, w, 3] at another height and the same aspect, without smoothing: its pixels can be told apart."""
    width = max(1, round(height * image.shape[1] / image.shape[0]))
    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    return image[rows][:, columns]


def tiled(images: Sequence[Picture]) -> Picture:
    """Images of one size in a grid that is as square as it can be, row by row; the rest is black."""
    across = int(np.ceil(np.sqrt(len(images))))
    lines = [np.concatenate(images[i : i + across], 1) for i in range(0, len(images), across)]
    width = lines[0].shape[1]
    return np.concatenate([_padded(line, 1, width) for line in lines], 0)


def _column(images: Sequence[Picture], height: int) -> Picture:
    width = max(image.shape[1] for image in images)
    return _padded(np.concatenate([_padded(image, 1, width) for image in images], 0), 0, height)


def _padded(image: Picture, axis: int, size: int) -> Picture:
    """The image with black after its end along an axis."""
    missing = max(0, size - image.shape[axis])
    return np.pad(image, [(0, missing if i == axis else 0) for i in range(3)])
