import numpy as np
import pytest

from benchmark import render, throughput
from dexgrasp_envs.config import ADR_LEVELS
from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.offscreen import free_camera


@pytest.mark.gl
def test_another_configuration_has_the_same_work(checkpoint):
    env, work = throughput.record_work(checkpoint, 2, 2, 2)
    other, same = render.varied(env, work, env.config, {"randomisation": "paper", "adr_level": ADR_LEVELS})
    other.set_state(same.start)
    assert other.get_state()["task.adr_level"].tolist() == [ADR_LEVELS] * 2
    assert np.array_equal(other.get_state()["sim.state"], work.start["sim.state"])


@pytest.mark.gl
def test_the_suite_gives_ratios_of_what_it_measured(checkpoint, monkeypatch):
    monkeypatch.setattr(render, "SIZES", ((24, 32),))
    monkeypatch.setattr(render, "PAIR_SIZES", ((24, 32),))
    monkeypatch.setattr(render, "PEER_ENVS", (2,))
    metrics = render.render(checkpoint, num_envs=2, steps=2, rounds=1, warm_up=2)
    rates = metrics["env_steps_per_second_120x160"]
    assert metrics["depth_to_state"] == rates["depth"] / rates["state"]
    assert metrics["noise_share_of_depth_step"] == 1 - rates["depth with noise"] / rates["depth"] < 1
    both = 1 - rates["depth with noise and randomisation"] / rates["depth"]
    assert metrics["noise_and_randomisation_share_of_depth_step"] == both < 1
    assert set(metrics["share_of_step"]) == set(rates) - {"AsyncVectorEnv + mujoco.Renderer"}
    assert "images" in metrics["share_of_step"]["depth"] and "images" not in metrics["share_of_step"]["state"]
    assert metrics["mesh_frames_per_second_and_core"]["ratio"] > 0
    assert metrics["depth_to_peer"] == rates["depth"] / rates["AsyncVectorEnv + mujoco.Renderer"]
    for what in ("frames", "stereo_pairs"):
        rates = metrics[f"{what}_per_second_and_core"]["24x32"]
        assert rates["ratio"] == rates["ray_caster"] / rates["opengl"]


def test_the_peers_camera_looks_where_ours_does():
    camera = free_camera(ViewCamera((1.0, 0.0, 1.0), (0.0, 0.0, 0.0), 45.0))
    assert camera.distance == pytest.approx(2**0.5)
    assert (camera.azimuth, camera.elevation) == pytest.approx((180.0, -45.0))
    np.testing.assert_array_equal(camera.lookat, 0.0)
