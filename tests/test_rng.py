"""The random stream: bits, addressing, moments."""

from __future__ import annotations

import jax
import jax.extend.random
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from netsim.samplers.rng import layer_key, normal_pair, seed_words, threefry


def words(seed: int):
    return tuple(jnp.uint32(w) for w in seed_words(seed))


def test_threefry_is_the_public_one_bit_for_bit():
    key = jnp.array([0x13198A2E, 0x03707344], jnp.uint32)
    count = jnp.arange(2000, dtype=jnp.uint32)
    public = jax.extend.random.threefry_2x32(key, count)
    ours = threefry((key[0], key[1]), count[:1000], count[1000:])
    assert np.array_equal(np.asarray(public), np.concatenate(ours))


def test_threefry_known_answer():
    # Random123 test vectors, threefry2x32 with 20 rounds
    ours = threefry((jnp.uint32(0), jnp.uint32(0)), jnp.uint32(0), jnp.uint32(0))
    assert [int(w) for w in ours] == [0x6B200159, 0x99BA4EFE]
    ones = jnp.uint32(0xFFFFFFFF)
    assert [int(w) for w in threefry((ones, ones), ones, ones)] == [0x1CB996FC, 0xBB002BE7]


@pytest.mark.parametrize("seed", [-1, 2**64, True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0"):
        seed_words(seed)


def test_layers_and_streams_have_keys_of_their_own():
    keys = {
        tuple(int(w) for w in layer_key(words(seed), jnp.uint32(layer), stream))
        for seed in (0, 1, 2**32)
        for layer in (1, 2, 1000)
        for stream in (0, 1, 5)
    }
    assert len(keys) == 27


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normals_are_normal(dtype):
    count = 2**19
    with jax.enable_x64(True):
        position = jnp.arange(count, dtype=jnp.uint32)
        pair = normal_pair(words(7), jnp.uint32(3), position, dtype)
        assert all(g.dtype == dtype for g in pair)
        first, second = (np.asarray(g, np.float64) for g in pair)
    both = np.concatenate([first, second])
    moments = {1: 0, 2: 1, 3: 0, 4: 3, 6: 15, 8: 105}
    double_factorial = {2: 3, 4: 105, 6: 10395, 8: 2027025, 1: 1, 3: 15}
    for k, expected in moments.items():
        error = np.sqrt((double_factorial[k] - expected**2) / len(both))
        assert abs(np.mean(both**k) - expected) < 5 * error
    # the two normals of one block are independent, in their squares as well
    for f in (lambda x: x, lambda x: x**2, lambda x: x**4):
        r = np.corrcoef(f(first), f(second))[0, 1]
        assert abs(r) * np.sqrt(count) < 5
    assert stats.kstest(both, "norm").pvalue > 1e-6


def test_float32_normals_agree_with_a_float64_box_muller_of_the_same_words():
    position = jnp.arange(2**16, dtype=jnp.uint32)
    w0, w1 = (np.asarray(w, np.uint64) for w in threefry(words(1), jnp.uint32(0), position))
    radius = np.sqrt(-2 * np.log(((w0 >> 1) + 0.5) * 2.0**-31))
    first, second = (
        np.asarray(g, np.float64) for g in normal_pair(words(1), jnp.uint32(0), position, "float32")
    )
    # radius from w0 alone, angle from w1 alone
    # u is rounded to 24 bits, so -2 log u is off by 2^-24 absolutely, and by float32 rounding
    assert np.max(np.abs(first**2 + second**2 - radius**2) / (1 + radius**2)) < 3e-7
    low = ((w1 << np.uint64(3)) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    low = np.where(low >= 2**31, low - 2**32, low)
    t = (low + 4) * 2.0**-31 * np.pi / 4
    small = np.minimum(np.abs(first), np.abs(second)) / np.hypot(first, second)
    assert np.max(np.abs(small - np.abs(np.sin(t)))) < 1e-6
