"""What the v0 ids compute is frozen: their configurations, worlds and first rewards."""

import numpy as np
import pytest

from dexgrasp_envs.registration import DEPTH_ID, IDS, STATE_ID, STEREO_ID
from dexgrasp_envs.tiers import TIERS, on_tier
from tests.vector_envs import Make

CONFIG_HASHES = {
    (STATE_ID, "easy"): "c714298967344b9c",
    (STATE_ID, "full"): "1541e086ef296baa",
    (STATE_ID, "hard"): "728a12e62900e6ee",
    (DEPTH_ID, "easy"): "383b6f5ff7a1c53d",
    (DEPTH_ID, "full"): "e19511641ed34387",
    (DEPTH_ID, "hard"): "178f131487204c81",
    (STEREO_ID, "easy"): "a8d4047ec9a07c54",
    (STEREO_ID, "full"): "4dc3d8fc4a863768",
    (STEREO_ID, "hard"): "7ff8842f94535b10",
}
"""`config.hash()` by id and tier."""
FINGERPRINTS = {STATE_ID: "4d8cc2e5abdf9c40", DEPTH_ID: "ba613071490e681b", STEREO_ID: "d108c9456843cae6"}
"""Of robot, scene, objects and revision too."""
REWARDS = [
    0.0143, 0.0124, 0.012, 0.0133, 0.0139, 0.0133, 0.0137, 0.0176, 0.0149, 0.0148,
    0.0151, 0.0145, 0.0136, 0.0143, 0.0136, 0.013, 0.0135, 0.0128, 0.0124, 0.0128,
]  # fmt: skip
"""Mean reward of each of the first steps of eight environments."""
WHAT_TO_DO = """
{what} is no longer what v0 promised: {now} instead of {frozen}.

If this is an accident, undo the change: a default, a field, an object or a figure of the robot is another one.
If it is meant, the results of others can no longer be compared with these. Once v0 is released, leave it as it is and
register another version beside it. Before, or for a mistake worth that price: raise REVISION of fingerprint.py if code
was changed, write the new values here, train the shipped policies again (docs/training.md) or remove them, and run
`python -m benchmark.run success --out results/raw` and `python -m benchmark.report`.
"""


def require_same(what: str, now: object, frozen: object) -> None:
    if now != frozen:
        pytest.fail(WHAT_TO_DO.format(what=what, now=now, frozen=frozen), pytrace=False)


@pytest.mark.parametrize("env_id", IDS)
def test_the_configuration_of_an_id_is_frozen(make: Make, env_id: str) -> None:
    config = make(env_id).config
    for tier in TIERS:
        frozen = CONFIG_HASHES[env_id, tier]
        require_same(f"the configuration of {env_id} on the tier {tier}", on_tier(config, tier).hash(), frozen)


@pytest.mark.parametrize("env_id", IDS)
def test_the_world_of_an_id_is_frozen(make: Make, env_id: str) -> None:
    require_same(f"the world of {env_id} (its fingerprint)", make(env_id).fingerprint, FINGERPRINTS[env_id])


def test_the_task_is_frozen(make: Make) -> None:
    """Loose enough for another processor or release of the engine, which the tests of bits are not for."""
    env = make(STATE_ID, num_envs=8)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    rewards = [
        float(env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))[1].mean()) for _ in range(20)
    ]
    if not np.allclose(rewards, REWARDS, atol=2e-4):
        require_same("the reward of the first 20 steps", [round(r, 4) for r in rewards], REWARDS)


def test_a_change_says_what_to_do() -> None:
    with pytest.raises(pytest.fail.Exception, match="undo the change"):
        require_same("the configuration of an id", "1", "2")
