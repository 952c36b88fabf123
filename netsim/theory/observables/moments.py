"""Moments of the fluctuations of S from their cumulants, and means of functions of the neurons."""

from __future__ import annotations

import numpy as np

from netsim.theory.hierarchy_fields.multisets import Polynomials, multisets, splits

__all__ = ["mean", "moments"]


def moments(cumulants: dict[int, np.ndarray], count: int, degree: int) -> Polynomials:
    """E prod delta over all multisets of up to `degree` of `count` variables.

        mu_alpha = sum over beta of binom kappa_{beta + i} mu_{b - beta},  alpha = i + b

    **Arguments:** `cumulants`: order k -> (multisets of k,), those of delta; missing orders are 0.

    **Returns:** degree -> (multisets,).
    """
    found: Polynomials = {0: np.ones(1)}
    for size in range(1, degree + 1):
        total = np.zeros(len(multisets(count, size)))
        for part, kappa in cumulants.items():
            if part <= size:
                alpha, own, rest, ways = splits(count, size, part)
                np.add.at(total, alpha, ways * kappa[own] * found[size - part][rest])
        found[size] = total
    return found


def mean(taylor: Polynomials, errors: Polynomials, delta: Polynomials) -> tuple[float, float]:
    """E<F>_{K + delta} = sum_beta T_beta E delta^beta, and its numerical error."""
    value = sum(float(x[0] @ delta[d]) for d, x in taylor.items())
    error = sum(float(e[0] @ np.abs(delta[d])) for d, e in errors.items())
    return value, error
