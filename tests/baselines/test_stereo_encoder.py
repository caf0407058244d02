import pytest
import torch

from baselines.encoder import EncoderConfig
from baselines.stereo_encoder import StereoEncoder
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import CAMERA

SMALL = EncoderConfig((8, 16), (4, 3), (4, 2), 32, 32)


def make_encoder(config: EncoderConfig = SMALL) -> StereoEncoder:
    torch.manual_seed(0)
    return StereoEncoder(CAMERA, 2, config)


def random_pair(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.randint(0, 256, (rows, 3, 24, 32), dtype=torch.uint8) for _ in range(2))


def test_a_row_does_not_depend_on_its_batch():
    encoder, (left, right), proprio = make_encoder(), random_pair(6), torch.randn(6, 2)
    alone = encoder(left[2:3], right[2:3], proprio[2:3])
    for one, among in zip(alone, encoder(left, right, proprio), strict=True):
        torch.testing.assert_close(one, among[2:3])


def test_the_eyes_are_told_apart():
    encoder, (left, right) = make_encoder(), random_pair(1)
    straight, crossed = (encoder(*pair, torch.zeros(1, 2))[0] for pair in ((left, right), (right, left)))
    assert not torch.allclose(straight, crossed)


def test_both_eyes_share_their_weights():
    encoder, (left, _) = make_encoder(), random_pair(3)
    seen = []
    encoder.fusion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    encoder(left, left, torch.zeros(3, 2))
    torch.testing.assert_close(*seen[0].chunk(2, dim=1))


def test_the_distance_is_learned_from_the_disparity_alone():
    generator = torch.Generator().manual_seed(0)
    disparity = torch.randint(0, 7, (256,), generator=generator)
    column = torch.randint(8, 22, (256,), generator=generator)
    left, right = torch.zeros(256, 3, 24, 32, dtype=torch.uint8), torch.zeros(256, 3, 24, 32, dtype=torch.uint8)
    for row in range(256):
        left[row, :, 10:14, column[row] : column[row] + 3] = 255
        right[row, :, 10:14, column[row] - disparity[row] : column[row] - disparity[row] + 3] = 255
    encoder = make_encoder()
    target = encoder.table_center + torch.stack([torch.zeros(256), torch.zeros(256), 0.02 * disparity], dim=1)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    for _ in range(150):
        error = (encoder(left, right, torch.zeros(256, 2))[1] - target).norm(dim=1).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    blind = (target - target.mean(0)).norm(dim=1).mean()
    assert error < 0.3 * blind


@pytest.mark.parametrize(("height", "width", "layers"), [(48, 64, 3), (120, 160, 4)])
def test_large_images_take_another_layer(height, width, layers):
    encoder = StereoEncoder(CAMERA | {"height": height, "width": width}, 2, EncoderConfig())
    assert sum(isinstance(module, torch.nn.Conv2d) for module in encoder.modules()) == layers


def test_an_image_that_is_too_small_for_the_architecture_is_refused():
    with pytest.raises(ConfigError, match="8 x 8 pixels are too small"):
        StereoEncoder(CAMERA | {"height": 8, "width": 8}, 2, EncoderConfig((8, 8, 8), (4, 7, 3), (4, 7, 1)))
