import dataclasses

import numpy as np
import pytest
import torch

from baselines.depth_encoder import DepthEncoder
from baselines.encoder import WORKSPACE_HIGH, WORKSPACE_LOW, EncoderConfig
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import CAMERA

SMALL = EncoderConfig((8, 8), (4, 3), (4, 2), 16)


def make_encoder(**changes) -> DepthEncoder:
    torch.manual_seed(0)
    return DepthEncoder(CAMERA | changes, 2, SMALL)


def in_metres(point_map: torch.Tensor) -> torch.Tensor:
    """x, y and height above the table of a point map [N, 4, H, W]."""
    low, high = (torch.tensor(corner)[:, None, None] for corner in (WORKSPACE_LOW, WORKSPACE_HIGH))
    return point_map[:, :3] * (high - low) / 2 + (high + low) / 2


def test_the_points_of_a_flat_table_lie_where_they_are():
    depth = torch.full((1, 1, 24, 32), 10000, dtype=torch.uint16)
    points = in_metres(make_encoder().point_map(depth))[0]
    for v, u in ((0, 0), (3, 30), (23, 31)):
        expected = [0.575 - (v + 0.5 - 12) / 29, -(u + 0.5 - 16) / 29, 0.0]
        torch.testing.assert_close(points[:, v, u], torch.tensor(expected), atol=1e-5, rtol=0)


def test_a_point_seen_at_a_slant_lies_where_it_is():
    forward = np.array([-0.6, 0.0, -0.8])
    right = np.array([0.0, 1.0, 0.0])
    rotation = np.stack([right, np.cross(forward, right), forward], axis=1)
    encoder = make_encoder(position=[1.2, 0.1, 0.9], rotation=rotation.tolist())
    depth = torch.zeros(1, 1, 24, 32, dtype=torch.uint16)
    depth[0, 0, 5, 20] = 7500
    in_camera = 0.75 * np.array([(20.5 - 16) / 29, (5.5 - 12) / 29, 1.0])
    world = rotation @ in_camera + [1.2, 0.1, 0.9]
    expected = torch.tensor(world - [0, 0, 0.25], dtype=torch.float32)
    torch.testing.assert_close(in_metres(encoder.point_map(depth))[0, :, 5, 20], expected, atol=1e-5, rtol=0)


def test_invalid_pixels_are_zero_in_every_channel():
    depth = torch.full((2, 1, 24, 32), 10000, dtype=torch.uint16)
    depth[1, 0, 7, 8] = 0
    point_map = make_encoder().point_map(depth)
    assert not point_map[1, :, 7, 8].any()
    assert point_map[0, 3].all() and point_map[1, 3].sum() == 24 * 32 - 1


def test_all_formats_give_the_same_metres():
    metres = 1.0 + 0.1 * torch.arange(8).repeat(24, 4)[None, None]
    formats = {1e-4: torch.uint16, 0.1: torch.uint8, 1.0: torch.float32}
    maps = []
    for scale, dtype in formats.items():
        encoder = make_encoder(depth_scale=scale)
        raw = metres if dtype == torch.float32 else (metres / scale).round().to(dtype)
        torch.testing.assert_close(encoder.metres(raw), metres)
        maps.append(encoder.point_map(raw))
    torch.testing.assert_close(maps[0], maps[2], atol=1e-5, rtol=0)
    torch.testing.assert_close(maps[1], maps[2], atol=1e-5, rtol=0)


def test_a_camera_on_the_robot_gives_depth_from_near_to_far():
    encoder = make_encoder(mount="palm_link", near=0.5, far=1.5)
    depth = torch.zeros(1, 1, 24, 32, dtype=torch.uint16)
    depth[0, 0, 0, :3] = torch.tensor([5000, 10000, 15000]).to(torch.uint16)
    point_map = encoder.point_map(depth)
    assert point_map.shape == (1, 2, 24, 32)
    torch.testing.assert_close(point_map[0, 0, 0, :4], torch.tensor([-1.0, 0.0, 1.0, 0.0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("size", "layers"), [((48, 64), 3), ((60, 80), 3), ((120, 160), 4), ((240, 320), 4)])
def test_large_images_take_another_layer(size, layers):
    encoder = DepthEncoder(CAMERA | {"height": size[0], "width": size[1]}, 2, EncoderConfig())
    assert sum(isinstance(module, torch.nn.Conv2d) for module in encoder.convolutions) == layers
    embedding, position = encoder(torch.zeros(2, 1, *size, dtype=torch.uint16), torch.zeros(2, 2))
    assert embedding.shape == (2, 128) and position.shape == (2, 3)


def test_a_row_does_not_depend_on_its_batch():
    encoder = make_encoder()
    depth = torch.randint(5000, 15000, (6, 1, 24, 32)).to(torch.uint16)
    proprio = torch.randn(6, 2)
    for alone, among in zip(encoder(depth[2:3], proprio[2:3]), encoder(depth, proprio), strict=True):
        torch.testing.assert_close(alone, among[2:3])


def test_the_position_is_learned_from_images():
    torch.manual_seed(0)
    encoder = make_encoder()
    columns = torch.randint(4, 28, (256,))
    depth = torch.full((256, 1, 24, 32), 10000, dtype=torch.int32)
    for row, column in enumerate(columns):
        depth[row, 0, 10:14, column - 2 : column + 2] = 9000
    target = torch.stack([torch.full((256,), 0.575), -(columns - 16) / 29, torch.full((256,), 0.3)], dim=1)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    errors = []
    for _ in range(60):
        errors.append((encoder(depth.to(torch.uint16), torch.zeros(256, 2))[1] - target).norm(dim=1).mean())
        optimizer.zero_grad()
        errors[-1].backward()
        optimizer.step()
    assert errors[-1] < 0.2 * errors[0]


@pytest.mark.parametrize("changes", [{"kernels": (4,)}, {"channels": (), "kernels": (), "strides": ()}])
def test_the_lists_of_an_architecture_must_agree(changes):
    with pytest.raises(ConfigError, match="the same convolutions"):
        dataclasses.replace(SMALL, **changes)


@pytest.mark.parametrize("changes", [{"channels": (8, 0)}, {"strides": (0, 2)}, {"embedding": 0}, {"locator": 0}])
def test_sizes_of_an_architecture_are_positive(changes):
    with pytest.raises(ConfigError, match="at least 1"):
        dataclasses.replace(SMALL, **changes)


def test_an_image_that_is_too_small_for_the_architecture_is_refused():
    with pytest.raises(ConfigError, match="8 x 8 pixels are too small"):
        DepthEncoder(CAMERA | {"height": 8, "width": 8}, 2, EncoderConfig((8, 8), (4, 7), (4, 7)))


def test_the_position_depends_on_the_robots_own_posture():
    encoder = make_encoder()
    depth = torch.full((2, 1, 24, 32), 10000, dtype=torch.uint16)
    embedding, position = encoder(depth, torch.tensor([[0.0, 0.0], [1.0, -1.0]]))
    assert torch.equal(embedding[0], embedding[1]) and not torch.equal(position[0], position[1])
