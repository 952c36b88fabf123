"""Products of functions of a few neurons at a few fields, and their Gaussian expectations.

Given layer l the neurons of layer l+1 are independent, each Gaussian over the fields with covariance
S_l. So the mean of any function F of m neurons is E<F>_S, where <F>_K is an integral over m rank(K)
standard normals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Factor", "Functional", "absolute", "evaluate", "neurons_of"]


@dataclass(frozen=True)
class Functional:
    """A function z -> real number, for many z at once.

    **Fields:** `name`; `neurons`, m; `digest`, of what it computes: equal ones compute the same;
    `function`, (N, m, inputs) float64 -> (N,).
    """

    name: str
    neurons: int
    digest: str
    function: Callable[[np.ndarray], np.ndarray] = field(compare=False, repr=False)


Factor = tuple[Functional, tuple[int, ...]]  # with the numbers of the fields that it looks at


def neurons_of(product: Sequence[Factor]) -> int:
    """How many neurons the product looks at: neuron i of every factor is the same one."""
    return max(of.neurons for of, _ in product)


def evaluate(product: Sequence[Factor], z: np.ndarray) -> np.ndarray:
    """The product at z, (N, m, F) -> (N,)."""
    total = np.ones(len(z))
    for of, fields in product:
        seen = z[:, : of.neurons][:, :, list(fields)]
        total = total * np.asarray(of.function(seen), dtype=np.float64)
    return total


def absolute(product: Sequence[Factor]) -> tuple[Factor, ...]:
    """The absolute value of the product, whose mean says what is small."""
    return tuple(
        (
            Functional(
                f"|{of.name}|",
                of.neurons,
                f"|{of.digest}|",
                lambda z, of=of: np.abs(np.asarray(of.function(z), dtype=np.float64)),
            ),
            fields,
        )
        for of, fields in product
    )
