"""Input sets made from a few numbers: one vector, a pair at an angle, a circle, a sphere.

Pairs and circles live in the plane of the orthogonal vectors e_1 = (1, ..., 1) and
e_2 = (-1, ..., -1, 1, ..., 1), |e_i|^2/n_0 = 1: spread over all n_0 entries, which matters to
non-Gaussian first-layer weights. Their overlaps are norms and cosines, not rounded sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsim.networks.inputs import LARGEST_SET, Inputs, from_vectors
from netsim.networks.inputs_checks import number_text, real, whole

__all__ = ["circle", "cos_sin_degrees", "pair", "single", "sphere"]


def single(norm2: float = 1.0, dimension: int = 16) -> Inputs:
    """One input x with |x|^2/n_0 = norm2: all entries equal sqrt(norm2).

    **Arguments:** `norm2` >= 0; `dimension`, n_0 (Gaussian weights do not see it).

    **Raises:** `ValueError`.
    """
    norm2 = real(norm2, "norm2", least=0)
    dimension = whole(dimension, "dimension", least=1)
    return from_vectors(
        np.full((1, dimension), math.sqrt(norm2)),
        source=f"single(norm2={number_text(norm2)}, dimension={dimension})",
        overlaps=np.array([[norm2]]),
    )


def pair(angle: float, norm2: float | Sequence[float] = 1.0, dimension: int = 16) -> Inputs:
    """Two inputs at an angle: x_a . x_b / n_0 = sqrt(norm2_a norm2_b) cos(angle).

    Angle 0 with one norm gives duplicates that agree to the last bit, angle 180 opposites.

    **Arguments:** `angle` in degrees; `norm2`, |x|^2/n_0 of both, or [of a, of b]; `dimension`,
    n_0, even.

    **Raises:** `ValueError`.
    """
    angle = real(angle, "angle")
    if isinstance(norm2, (list, tuple, np.ndarray)):
        if len(norm2) != 2:
            raise ValueError(f"norm2={norm2!r}: give one number for both inputs, or two numbers")
        K_a, K_b = (real(K, "norm2", least=0) for K in norm2)
    else:
        K_a = K_b = real(norm2, "norm2", least=0)
    text = number_text(K_a) if K_a == K_b else f"[{number_text(K_a)}, {number_text(K_b)}]"
    source = f"pair(angle={number_text(angle)}, norm2={text}, dimension={dimension})"
    K_ab = (K_a if K_a == K_b else math.sqrt(K_a) * math.sqrt(K_b)) * cos_sin_degrees(angle)[0]
    return from_vectors(
        _plane([0.0, angle], [K_a, K_b], dimension),
        source=source,
        overlaps=np.array([[K_a, K_ab], [K_ab, K_b]]),
    )


def circle(count: int, norm2: float = 1.0, dimension: int = 2) -> Inputs:
    """`count` inputs equally spaced on a circle: x_j at the angle 360 j / count degrees.

    **Arguments:** `count` >= 1; `norm2`, |x|^2/n_0 of each; `dimension`, n_0, even (2 leaves no
    room for directions orthogonal to the circle's plane).

    **Raises:** `ValueError`.
    """
    count = _number_of_inputs(count)
    norm2 = real(norm2, "norm2", least=0)
    source = f"circle(count={count}, norm2={number_text(norm2)}, dimension={dimension})"
    angles = [360.0 * j / count for j in range(count)]
    steps = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    cosines = np.array([cos_sin_degrees(angle)[0] for angle in angles])
    return from_vectors(
        _plane(angles, [norm2] * count, dimension),
        source=source,
        overlaps=norm2 * cosines[np.minimum(steps, count - steps)],
    )


def sphere(count: int, dimension: int, norm2: float = 1.0, seed: int = 0) -> Inputs:
    """`count` inputs, independent and uniform on the sphere |x|^2/n_0 = norm2 in `dimension` = n_0.

    Normalised Gaussian vectors from NumPy's default generator with this seed.

    **Raises:** `ValueError`.
    """
    count = _number_of_inputs(count)
    dimension = whole(dimension, "dimension", least=1)
    norm2 = real(norm2, "norm2", least=0)
    seed = whole(seed, "seed")
    x = np.random.default_rng(seed).standard_normal((count, dimension))
    x *= (math.sqrt(norm2) / np.sqrt((x * x).mean(axis=1)))[:, None]
    text = f"count={count}, dimension={dimension}, norm2={number_text(norm2)}, seed={seed}"
    return from_vectors(x, source=f"sphere({text})")


def cos_sin_degrees(angle: float) -> tuple[float, float]:
    """(cos, sin) of an angle in degrees, exact at the multiples of 90 and where it is 1/2.

    The angle is reduced by quarter turns without rounding before it becomes radians.
    """
    rest = math.remainder(angle, 90.0)  # exact, in [-45, 45]
    quarter = round((math.remainder(angle, 360.0) - rest) / 90.0) % 4
    s = math.copysign(0.5, rest) if abs(rest) == 30.0 else math.sin(math.radians(rest))
    c = math.cos(math.radians(rest))
    c, s = ((c, s), (-s, c), (-c, -s), (s, -c))[quarter]
    return c + 0.0, s + 0.0  # no -0.0


def _plane(angles: list[float], norms2: list[float], dimension: int) -> np.ndarray:
    """(A, n_0): the vectors sqrt(norm2) (cos e_1 + sin e_2)."""
    dimension = whole(dimension, "dimension", least=2)
    if dimension % 2:
        raise ValueError(f"dimension={dimension}: must be even for inputs in a plane")
    e_1, e_2 = np.ones(dimension), np.repeat([-1.0, 1.0], dimension // 2)
    polar = (cos_sin_degrees(angle) for angle in angles)
    return np.array(
        [math.sqrt(K) * (c * e_1 + s * e_2) for (c, s), K in zip(polar, norms2, strict=True)]
    )


def _number_of_inputs(count: int) -> int:
    count = whole(count, "count", least=1)
    if count > LARGEST_SET:
        raise ValueError(f"count={count}: at most {LARGEST_SET} inputs fit at once")
    return count
