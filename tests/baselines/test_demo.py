import json
import shutil

import pytest
from rich.console import Console

from baselines.demo import Args, demo
from dexgrasp_envs.errors import CheckpointError
from dexgrasp_envs.registration import ID_GROUPS
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID, FAKE_ID, SMALL_DEPTH_PPO
from tests.baselines.small_policies import save_policy


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Committed results, which hold a policy that sees and one that does not."""
    folder = tmp_path / "results"
    monkeypatch.setattr("baselines.demo.ROOT", tmp_path)
    monkeypatch.setattr("baselines.shipped.ROOT", tmp_path)
    save_policy(folder / "checkpoints" / "state.pt")
    save_policy(folder / "checkpoints" / "depth.pt", sees=True)
    return folder


def run(tmp_path, **changes) -> str:
    console = Console(record=True, width=200)
    arguments = {"minutes": 0.005, "env_id": FAKE_ID, "sim": None, "episodes": 4, "out": tmp_path / "runs"} | changes
    demo(Args(**arguments), console)
    return console.export_text()


def test_the_demo_trains_compares_and_evaluates_what_is_shipped(tmp_path, results):
    text = run(tmp_path)
    assert "points" in text and "success_at_end" in text
    names = {"demo", "state", "depth", "depth_shuffled"}
    assert {path.stem for path in (tmp_path / "runs" / "raw").glob("*.json")} == names
    table = (tmp_path / "runs" / "tables" / "success.md").read_text()
    assert all(f"| {name} |" in table for name in names)
    assert (tmp_path / "runs" / "figures" / "success.png").exists()


def test_training_asks_servers_with_keys(tmp_path, results, monkeypatch):
    asked = []

    def stop(args, console):
        asked.append((args.sim, args.keys))
        raise KeyboardInterrupt

    monkeypatch.setattr("baselines.demo.train.train", stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, sim="tcp://there:5555", keys=tmp_path)
    assert asked == [("tcp://there:5555", tmp_path)]


def test_records_say_the_command_that_writes_them_alone(tmp_path, results):
    run(tmp_path)
    record = json.loads((tmp_path / "runs" / "raw" / "depth_shuffled.json").read_text())
    assert record["command"] == (
        "python -m baselines.evaluate results/checkpoints/depth.pt --num-envs 4 --episodes-per-env 1 --seed 1000 "
        "--shuffle-images --out runs/raw/depth_shuffled.json"
    )
    assert record["shuffled_images"] is True


def test_committed_results_stay_as_they_are(tmp_path, results):
    before = sorted(results.rglob("*"))
    run(tmp_path)
    assert sorted(results.rglob("*")) == before


def test_a_shipped_policy_that_does_not_fit_is_left_out(tmp_path, results):
    save_policy(results / "checkpoints" / "old.pt", schema=0)
    shutil.copy(__file__, results / "checkpoints" / "broken.pt")
    text = run(tmp_path)
    assert "old.pt is left out" in text and "broken.pt is left out" in text
    assert (tmp_path / "runs" / "raw" / "state.json").exists()


def test_it_goes_on_from_the_shipped_depth_policy_on_request(tmp_path, results, monkeypatch):
    monkeypatch.setitem(ID_GROUPS, FAKE_DEPTH_ID, ("depth",))
    monkeypatch.setattr("baselines.train.DEPTH_CONFIG", FAKE_DEPTH_CONFIG)
    monkeypatch.setattr("baselines.train.DEPTH_PPO", SMALL_DEPTH_PPO)
    text = run(tmp_path, env_id=FAKE_DEPTH_ID, resume=True)
    assert "begins with" in text
    (results / "checkpoints" / "depth.pt").unlink()
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        run(tmp_path, env_id=FAKE_DEPTH_ID, resume=True)
