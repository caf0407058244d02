"""Draw the figures of the documentation from the code: `python -m docs.draw_figures`."""

from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium
import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

import dexgrasp_envs  # noqa: F401  registers the environments
from baselines.checkpoint import load_policy
from dexgrasp_envs import objects as object_sets
from dexgrasp_envs.config import CAMERAS, EnvConfig
from dexgrasp_envs.registration import DEPTH_ID, STEREO_ID
from dexgrasp_envs.robots.kuka_allegro import HOME_CENTER
from dexgrasp_envs.scene.tabletop import TABLE_CENTER, TABLE_HALF, TABLE_TOP
from dexgrasp_envs.sensor_config import DEPTH_NOISES
from dexgrasp_envs.task.geometry import HandObject
from dexgrasp_envs.task.outcome import outcome
from dexgrasp_envs.task.reward import reward_terms
from dexgrasp_envs.viewing.contact_sheet import contact_sheet
from dexgrasp_envs.viewing.panes import colour_depth, panes

matplotlib.use("Agg")
from matplotlib import pyplot as plt

plt.rcParams["figure.dpi"] = 120

IMAGES = Path(__file__).parent / "images"
"""Where the figures go."""
CONFIG = EnvConfig()
REST = 0.04
"""Height of the object's centre above the table at rest, in the figure of the reward, m."""

STATE_POLICY = Path("results/checkpoints/state.pt")
"""Whose grasps are shown."""
GRASP_STEPS = 45
"""Actions before the picture of a grasp: time to reach and lift."""

PAIRS = 6
"""In the figure of random colours."""


def cameras() -> Figure:
    """What every named camera sees at the start of the same episode."""
    return _depths("camera", CAMERAS, (11, 2.5))


def workspace() -> Figure:
    """Spawn rectangle, box of the hand, box of the object, goal and cameras, from above and from the side."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
    for axis, (first, second) in zip(axes, ((0, 1), (0, 2)), strict=True):
        _draw_boxes(axis, first, second)
        for name, camera in CAMERAS.items():
            if camera.mount == "world":
                at, towards = np.array(camera.position), np.array(camera.target)
                step = 0.15 * (towards - at) / np.linalg.norm(towards - at)
                axis.annotate(
                    "",
                    (at + step)[[first, second]],
                    at[[first, second]],
                    arrowprops={"arrowstyle": "->", "color": "C3"},
                )
                behind = (at - 0.35 * step)[[first, second]]
                axis.text(*behind, name, color="C3", ha="center", va="center", fontsize=8)
                axis.update_datalim([at[[first, second]]])
        axis.plot(*np.zeros(2), "ks", label="robot's base")
        axis.plot(*np.array(HOME_CENTER)[[first, second]], "C0x", label="grasp centre at the start")
        axis.set(xlabel="x (m)", ylabel=f"{'xyz'[second]} (m)", aspect="equal")
        axis.autoscale_view()
        axis.margins(0.08)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def reward() -> Figure:
    """The terms over the distances that they depend on, in units of the summed reward of a step."""
    figure, (near, lifted) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    rest = torch.tensor([*CONFIG.spawn.center, TABLE_TOP + REST])
    goal = torch.tensor(CONFIG.episode.goal)
    distance = torch.linspace(0.0, 0.6, 200)
    away = rest + distance[:, None] * torch.tensor([0.0, 0.0, 1.0])
    near.plot(distance, terms(rest.expand(200, 3), away)["reach"])
    near.set(xlabel="farthest of grasp centre and finger tips\nfrom the object (m)", ylabel="reach")
    share = torch.linspace(0.0, 1.0, 400)
    path = rest + share[:, None] * (goal - rest)
    left = torch.linalg.norm(goal - path, dim=1)
    values = terms(path, path)
    for name in ("goal", "lift", "success"):
        lifted.plot(left, values[name], label=name)
    lifted.set(xlabel="object to the goal, lifted straight from rest (m)", ylabel="reward of a step")
    lifted.invert_xaxis()
    lifted.legend(frameon=False)
    for axis in (near, lifted):
        axis.grid(alpha=0.3)
    return figure


def terms(object_pos: Tensor, hand: Tensor) -> dict[str, Tensor]:
    """The reward terms for objects [n, 3] that began at rest on the table, the whole hand at one point [n, 3], m."""
    n = len(object_pos)
    turn = torch.eye(3).expand(n, 3, 3)
    scene = HandObject(hand, turn, hand[:, None].expand(n, 5, 3), object_pos, turn)
    rest_height = torch.full((n,), TABLE_TOP + REST)
    posture = torch.zeros(n, 16)
    now = outcome(scene, rest_height, CONFIG.episode)
    return reward_terms(scene, now, rest_height, torch.zeros(n, 4), posture, posture[0], CONFIG.reward, CONFIG.episode)


def stereo() -> Figure:
    """Left, right and the depth of the left, of grasps of the shipped state policy in two lights."""
    policy, _ = load_policy(STATE_POLICY)
    figure, axes = plt.subplots(2, 3, figsize=(8, 4), layout="constrained")
    for row, light, name in zip(axes, ("fixed", "random"), ("cylinder_small_12cm", "cuboid_large_8cm"), strict=True):
        options: dict[str, Any] = {"groups": ("depth", "state"), "image_size": (240, 320), "light": light, "threads": 1}
        with closing(gymnasium.make_vec(STEREO_ID, num_envs=1, **options)) as envs:
            obs, _ = envs.reset(seed=8, options={"object": name})
            for _ in range(GRASP_STEPS):
                obs, *_ = envs.step(policy.predict(obs, deterministic=True)[0])
        for axis, image in zip(row, panes({group: values[0] for group, values in obs.items()}).values(), strict=True):
            axis.imshow(image)
            axis.set_axis_off()
    for axis, title in zip(axes[0], ("left", "right", "depth"), strict=True):
        axis.set_title(title)
    return figure


def randomised() -> Figure:
    """Left above right at the start of some episodes with random light and colours."""
    figure, axes = plt.subplots(2, PAIRS, figsize=(10, 3.1), layout="constrained")
    options: dict[str, Any] = {"image_size": (72, 96), "light": "random", "colour": "random"}
    with closing(gymnasium.make_vec(STEREO_ID, num_envs=PAIRS, **options)) as envs:
        obs, _ = envs.reset(seed=5)
    for row, name in zip(axes, ("left", "right"), strict=True):
        for axis, image in zip(row, obs[name], strict=True):
            axis.imshow(image.transpose(1, 2, 0), interpolation="nearest")
            axis.set_axis_off()
    return figure


def depth_noise() -> Figure:
    """The same depth without and with the noises by name."""
    return _depths("depth_noise", DEPTH_NOISES, (8, 3.2))


def objects() -> Figure:
    """Every object of the training set."""
    return contact_sheet(object_sets.load("train"))


def _depths(option: str, names: Collection[str], size: tuple[float, float]) -> Figure:
    """Depth at the start of the same episode, for each value of an option of the environment by name."""
    figure, axes = plt.subplots(1, len(names), figsize=size, layout="constrained")
    for axis, name in zip(axes, names, strict=True):
        options: dict[str, Any] = {option: name}
        with closing(gymnasium.make_vec(DEPTH_ID, num_envs=1, **options)) as env:
            obs, _ = env.reset(seed=1, options={"object": "cuboid_large_12cm"})
        axis.imshow(colour_depth(obs["depth"][0, 0]))
        axis.set(title=name, xticks=[], yticks=[])
    return figure


def _draw_boxes(axis: Axes, first: int, second: int) -> None:
    control, episode, spawn = CONFIG.control, CONFIG.episode, CONFIG.spawn
    center, half = (*spawn.center, TABLE_TOP), (*spawn.half_extent, 0.0)
    boxes = {
        "table": (np.subtract(TABLE_CENTER, TABLE_HALF), np.add(TABLE_CENTER, TABLE_HALF), "0.8", True),
        "object: lost outside": (np.array(episode.lost_low), np.array(episode.lost_high), "0.4", False),
        "grasp centre: target stays in": (
            np.array(control.workspace_low),
            np.array(control.workspace_high),
            "C0",
            False,
        ),
        "object: spawned in": (np.subtract(center, half), np.add(center, half), "C1", second == 1),
    }
    for label, (low, high, colour, filled) in boxes.items():
        width, height = (high - low)[[first, second]]
        axis.add_patch(
            Rectangle(
                tuple(low[[first, second]]), width, height, fill=filled, facecolor=colour, edgecolor=colour, label=label
            )
        )
    at = np.array(episode.goal)[[first, second]]
    axis.add_patch(Circle(tuple(at), episode.success_radius, color="C2", alpha=0.5, label="success"))


FIGURES = {
    "cameras": cameras,
    "workspace": workspace,
    "reward": reward,
    "stereo": stereo,
    "randomised": randomised,
    "depth_noise": depth_noise,
    "objects": objects,
}
"""Every figure by the name of its file."""


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        figure = draw()
        figure.savefig(IMAGES / f"{name}.png", dpi="figure", metadata={"Software": None})
        plt.close(figure)
        print(f"wrote {IMAGES / name}.png")


if __name__ == "__main__":
    main()
