import numpy as np

from dexgrasp_envs.vision.hash_kernels import fill_gaussian, next_event, random_word

KEY, SALT = np.uint32(12345), np.uint32(678)


def words(count: int, key: int = 12345, salt: int = 678) -> np.ndarray:
    return np.array([random_word(np.uint32(i), np.uint32(key), np.uint32(salt)) for i in range(count)], np.uint32)


def test_every_bit_is_set_half_of_the_time() -> None:
    bits = words(4000)[:, None] >> np.arange(32, dtype=np.uint32) & 1
    assert np.abs(bits.mean(0) - 0.5).max() < 0.04


def test_sequences_of_other_keys_and_salts_are_no_shifted_copies() -> None:
    first = set(words(2000).tolist())
    for key, salt in ((12346, 678), (12345, 679), (12345 + 0x9E3779B9 & 0xFFFFFFFF, 679)):
        assert len(first & set(words(2000, key, salt).tolist())) < 3


def test_gaussians_have_mean_0_and_variance_1_and_end_at_3_45() -> None:
    out = np.empty(100_000, np.float32)
    fill_gaussian(np.uint32(0), KEY, SALT, out)
    assert abs(out.mean()) < 0.01 and abs(out.var() - 1) < 0.02 and 3.0 < np.abs(out).max() < 3.46


def test_gaussians_depend_on_the_index_and_not_on_where_a_row_begins() -> None:
    whole, part = np.empty(100, np.float32), np.empty(37, np.float32)
    fill_gaussian(np.uint32(0), KEY, SALT, whole)
    fill_gaussian(np.uint32(41), KEY, SALT, part)
    np.testing.assert_array_equal(whole[41:78], part)


def test_events_come_with_their_probability_at_every_index() -> None:
    at, count, events = -1, 0, []
    while at < 200_000:
        at = next_event(at, count, KEY, SALT, np.log1p(-0.02))
        events.append(at)
        count += 1
    gaps = np.diff(events)
    assert gaps.min() == 1 and abs(gaps.mean() * 0.02 - 1) < 0.06 and abs((gaps == 1).mean() - 0.02) < 0.01
