"""The imperfections of cameras: noise of depth, and what differs in colour from episode to episode.

Parts of `config.EnvConfig`; by default there are none.
"""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class DepthNoiseConfig:
    """Noise of a depth sensor, applied in the order of the fields; each kind is off at 0.

    The first three are the model of structured-light sensors of Barron & Malik, "Intrinsic scene properties from a
    single RGB-D image", CVPR 2013, as used by Handa et al., "A benchmark for RGB-D visual odometry, 3D reconstruction
    and SLAM", ICRA 2014: Z' = b / floor(b / Z(u + n) + m + 1/2) with n ~ N(0, shift_sigma^2) in both axes of the image,
    m ~ N(0, disparity_sigma^2) and b = `disparity_at_metre`.
    """

    shift_sigma: float = 0.0
    """Standard deviation of where a pixel measures, along each axis of the image, pixels; shifts end at 1 pixel."""
    disparity_at_metre: float = 0.0
    """Disparity of a point at 1 m in steps of the sensor, to which disparity is rounded; the Kinect's is 351.3."""
    disparity_sigma: float = 0.0
    """Standard deviation of the disparity before it is rounded, steps."""
    normal_sigma: float = 0.0
    """Standard deviation of what is added to depth, m."""
    dropout: float = 0.0
    """Probability of a pixel to become invalid."""
    random_pixels: float = 0.0
    """Probability of a pixel to show any depth between near and far instead."""
    sticks: float = 0.0
    """Probability of a pixel to begin a straight line of pixels of one depth between near and far."""
    stick_length: int = 18
    """Longest such line, pixels."""


DEPTH_NOISES: dict[str, DepthNoiseConfig] = {
    "off": DepthNoiseConfig(),
    "paper": DepthNoiseConfig(0.5, 351.3, 1.0 / 6.0, 0.01, 0.003, 0.003, 0.00025, 18),
}
"""Noises of depth by name: the default, none; the paper's."""


@dataclass(frozen=True)
class ColourConfig:
    """What colour images differ in besides light; both images of a pair have the same draws, but for `noise_sigma`.

    Ranges are drawn from uniformly for each episode. After the picture was taken, a value c in 0..1 becomes
    saturated, turned in hue, and contrasted: (c - 1/2) contrast + 1/2, times brightness.
    """

    textures: float = 0.0
    """Share of robot, object, table and floor that have a random texture and random colours in an episode."""
    exposure: Range = (1.0, 1.0)
    """Multiplies the linear light that reaches the camera."""
    saturation: Range = (1.0, 1.0)
    """Multiplies the distance of colours from grey."""
    hue: float = 0.0
    """Half width of the turn of all hues, in turns, as a rotation about grey in the YIQ colour space."""
    contrast: Range = (1.0, 1.0)
    """Multiplies the distance of values from the middle."""
    brightness: Range = (1.0, 1.0)
    """Multiplies values."""
    blur: float = 0.0
    """Share of pairs that are blurred by motion: each pixel is the mean of a short line."""
    blur_length: int = 7
    """Longest such line, pixels."""
    noise_sigma: float = 0.0
    """Standard deviation of the noise of each pixel, colour and image, in 255 parts."""


COLOURS: dict[str, ColourConfig] = {
    "fixed": ColourConfig(),
    "random": ColourConfig(0.5, (0.7, 1.4), (0.5, 1.5), 0.15, (0.5, 1.5), (0.5, 1.5), 0.1, 7, 3.0),
}
"""Colours by name: the default, as they are; random ones, with the ranges of the paper where it has them."""
