"""Errors from leaving out one block at a time, for blocks of unequal sizes.

F. M. T. A. Busing, E. Meijer, R. van der Leeden, Delete-m jackknife for unequal m, Statistics and
Computing 9 (1999) 3-8: with h_j = N/m_j and pseudo-values theta~_j = h_j theta - (h_j - 1)
theta_(-j),

    theta_J = sum_j theta~_j / h_j,    Cov = (1/g) sum_j (theta~_j - theta_J)(theta~_j - theta_J)^T
                                                          / (h_j - 1),

which for equal blocks is the usual jackknife. theta_J has no bias of order 1/N.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Jackknife", "jackknife", "leave_one_out", "t_to_normal"]


def leave_one_out(array: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Sums over all blocks, then over all but each of `blocks`: (1 + g, ...) from (64, ...)."""
    total = array.sum(axis=0)
    return np.concatenate([total[None], total - array[blocks]])


@dataclass(frozen=True)
class Jackknife:
    """**Fields:** `value`, theta; `corrected`, theta_J; `deviations`: (g, ...), so that the
    covariance of two estimates is the sum over j of the products of their deviations."""

    value: np.ndarray
    corrected: np.ndarray
    deviations: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """One standard error."""
        return np.sqrt(np.sum(self.deviations**2, axis=0))


def jackknife(replicates: np.ndarray, sizes: np.ndarray) -> Jackknife:
    """The delete-one-block jackknife.

    **Arguments:** `replicates`: (1 + g, ...), the estimate from all draws, then without each block;
    `sizes`: (g,) draws in each block, all positive.

    **Raises:** `ValueError` with fewer than 2 blocks.
    """
    g = len(sizes)
    if g < 2:
        raise ValueError(
            f"{g} non-empty block(s): an error needs at least 2, an honest one 64; draw more units"
        )
    h = (np.sum(sizes) / np.asarray(sizes, float)).reshape(-1, *[1] * (replicates.ndim - 1))
    value, left = replicates[0], replicates[1:]
    # theta~_j - theta, small differences first: no digit is lost where the error is tiny
    shift = (h - 1) * (value - left)
    bias = np.sum(shift / h, axis=0)
    return Jackknife(value, value + bias, (shift - bias) / np.sqrt(g * (h - 1)))


def t_to_normal(pull, dof: int = 63):
    """The normal deviate with the tail probability of `pull`, Student's t with `dof` degrees.

    Beyond 1000 the tail is a power, P(t > x) ~ x^-dof, so no finite pull becomes infinite.
    """
    from scipy.special import ndtri_exp
    from scipy.stats import t

    size = np.abs(np.asarray(pull, float))
    log_tail = t.logsf(np.minimum(size, 1e3), dof) - dof * np.log(np.maximum(size / 1e3, 1.0))
    return np.sign(pull) * -ndtri_exp(log_tail)
