from rich.console import Console

from baselines.demo import Args, demo
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID


def test_the_demo_compares_first_and_last(tmp_path):
    console = Console(record=True, width=160)
    demo(Args(minutes=0.02, env_id=FAKE_ID, out=tmp_path, episodes=8, env=FAKE_CONFIG), console)
    text = console.export_text()
    assert "success_at_end" in text and "points" in text and "no video" in text
