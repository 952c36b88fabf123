"""What a user should know of an input set before trusting numbers from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsim.networks.inputs import Inputs, input_name
from netsim.networks.inputs_checks import number_text

__all__ = ["Geometry", "angle_degrees", "describe", "geometry"]


@dataclass(frozen=True)
class Geometry:
    """Facts of the inputs x_a (directions left out).

    **Fields:** `condition`, largest by smallest eigenvalue of the Gram matrix, `math.inf` if
    singular; `rank` of it; `smallest_angle` in degrees between two non-zero inputs, and `between`
    which (both None if there is no pair); `norm2`, (smallest, largest) |x|^2/n_0; `duplicates`,
    groups of equal inputs; `zeros`, inputs that are zero.
    """

    condition: float
    rank: int
    smallest_angle: float | None
    between: tuple[str, str] | None
    norm2: tuple[float, float]
    duplicates: tuple[tuple[str, ...], ...]
    zeros: tuple[str, ...]


def angle_degrees(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Angles in [0, 180] degrees: 2 atan2(|x' - y'|, |x' + y'|), x' = x/|x|, y' = y/|y|.

    Accurate where the arc cosine is not, at nearly equal and nearly opposite vectors.

    **Arguments:** `x`, (n_0,) and `y`, (B, n_0), none of them zero. **Returns:** (B,).

    Source: W. Kahan, "How futile are mindless assessments of roundoff in floating-point
    computation?" (2006), section 12.
    """
    x, y = _unit(x[None]), _unit(y)
    apart, together = (np.sqrt((d * d).sum(axis=1)) for d in (x - y, x + y))
    return np.degrees(2.0 * np.arctan2(apart, together))


def geometry(inputs: Inputs) -> Geometry:
    """The facts of `inputs`; takes the singular values of the vectors, not of their Gram matrix,
    whose rounding would hide the smallest."""
    x = inputs.vectors
    A = len(x)
    K = np.diag(inputs.overlaps)[:A]
    largest = np.abs(x).max()
    s = np.linalg.svd(x / largest, compute_uv=False) if largest else np.zeros(min(x.shape))
    rank = int(np.sum(s > s.max() * max(x.shape) * np.finfo(float).eps))
    duplicates = _duplicates(x)
    names = inputs.names
    angle, between = _smallest_angle(x, duplicates)
    return Geometry(
        condition=float((s[0] / s[-1]) ** 2) if rank == A else math.inf,
        rank=rank,
        smallest_angle=angle,
        between=None if between is None else (names[between[0]], names[between[1]]),
        norm2=(float(K.min()), float(K.max())),
        duplicates=tuple(tuple(names[i] for i in group) for group in duplicates),
        zeros=tuple(names[i] for i in np.flatnonzero(~x.any(axis=1))),
    )


def describe(inputs: Inputs) -> list[str]:
    """Sentences for the terminal and the report: number, n_0, norms, Gram, angles, oddities."""
    g, A = geometry(inputs), len(inputs.vectors)
    names = "a" if A == 1 else f"a, {input_name(1)}" if A == 2 else f"a .. {input_name(A - 1)}"
    lines = [f"{_count(A, 'input')} ({names}) of dimension n_0 = {inputs.dimension}"]
    low, high = (f"{K:.6g}" for K in g.norm2)
    lines.append(f"|x|^2/n_0 = {low}" if low == high else f"|x|^2/n_0 from {low} to {high}")
    lines.append(
        f"Gram matrix: condition number {g.condition:.4g}"
        if g.rank == A
        else f"Gram matrix: singular, rank {g.rank} of {A} (condition number infinite)"
    )
    if g.between is not None and g.smallest_angle is not None:
        p, q = g.between
        lines.append(f"smallest angle {g.smallest_angle:.6g} degrees, between {p} and {q}")
        i, j = inputs.names.index(p), inputs.names.index(q)
        K_a, K_ab, K_b = inputs.overlaps[[i, i, j], [i, j, j]]
        # 1e-15: correlations this close to 1 are rounding
        if g.smallest_angle > 0 and K_ab >= (1 - 1e-15) * math.sqrt(K_a) * math.sqrt(K_b):
            lines.append(
                f"{p} and {q} have a correlation that rounds to 1: whatever works from inner "
                "products sees no angle between them; use a derivative along their difference"
            )
    if g.duplicates:
        lines.append("equal inputs: " + _listed([" = ".join(group) for group in g.duplicates]))
    if g.zeros:
        lines.append("zero inputs: " + _listed(g.zeros))
    if inputs.directions:
        K = np.diag(inputs.overlaps)[A:]
        each = [f"|{d}|^2/n_0 = {k:.6g}" for d, k in zip(inputs.directions, K, strict=True)]
        lines.append(f"{_count(len(K), 'direction')}: {_listed(each)}")
    if inputs.labels is not None:
        lines.append("labels: " + _listed([number_text(float(v)) for v in inputs.labels]))
    return lines + list(inputs.facts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _listed(words: Sequence[str], most: int = 8) -> str:
    more = f", ... ({len(words)} in all)" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _unit(x: np.ndarray) -> np.ndarray:
    """Rows normalised; largest entries first, so that squares neither overflow nor vanish."""
    x = x / np.abs(x).max(axis=1)[:, None]
    return x / np.sqrt((x * x).sum(axis=1))[:, None]


def _duplicates(x: np.ndarray) -> list[list[int]]:
    """Groups of equal rows, in order of their first member."""
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(x + 0.0):  # -0.0 equals 0.0
        groups.setdefault(row.tobytes(), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _smallest_angle(
    x: np.ndarray, duplicates: list[list[int]]
) -> tuple[float | None, tuple[int, int] | None]:
    """The smallest angle in degrees and the two rows; cosines choose, `angle_degrees` decides."""
    alive = np.flatnonzero(x.any(axis=1))
    for group in duplicates:
        if x[group[0]].any():
            return 0.0, (group[0], group[1])
    if len(alive) < 2:
        return None, None
    unit = _unit(x[alive])
    angle, between, best = math.inf, None, -math.inf
    for i in range(len(unit) - 1):
        cosines = unit[i + 1 :] @ unit[i]
        best = max(best, cosines.max())
        # 1e-14: more than the rounding of a cosine, so no smaller angle is passed over
        near = np.flatnonzero(cosines >= best - 1e-14) + i + 1
        if len(near):
            angles = angle_degrees(x[alive[i]], x[alive[near]])
            k = int(np.argmin(angles))
            if angles[k] < angle:
                angle, between = float(angles[k]), (int(alive[i]), int(alive[near[k]]))
    return angle, between
