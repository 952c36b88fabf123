"""Expectations of elementary terms: activations' derivatives, derivative fields, Hermite weights.

An atom is prod_j He_{m_j}(g_j) prod sigma^(k)(z_i) prod y over some inputs, with z = A g, A the
triangular root of the covariance of these z's and g standard normal. Derivative fields y are
averaged exactly given the z's, so that every atom is an integral over at most as many variables as
it has inputs. He_m weights stand for derivatives along g: <d_g^m f> = <He_m(g) f>.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from netsim.gaussian.covariance import factor, regress
from netsim.gaussian.jets import derivatives, smooth_order
from netsim.gaussian.panels import integrate_panels
from netsim.gaussian.rank import integrate_rank
from netsim.gaussian.wick import Term, moment
from netsim.networks.activation import Activation

__all__ = ["Atom", "integrate_atoms", "weighted"]

Atom = tuple[tuple[int, ...], Term]  # the m_j, and what they multiply
_BATCH = 48  # atoms at a time: bounds memory on large grids


def integrate_atoms(
    sigma: Activation, K: np.ndarray, atoms: Sequence[Atom]
) -> tuple[np.ndarray, np.ndarray]:
    """Expectations of `atoms` under N(0, K).

    **Arguments:** `K`, (F, F), covariance of all fields that atoms refer to. The m_j of
    an atom count its inputs with variance in increasing order; () stands for no weight.

    **Returns:** (len(atoms),) values and errors.

    **Raises:** `ValueError` for kinked activations with three or more independent inputs.
    """
    value, error = np.zeros(len(atoms)), np.zeros(len(atoms))
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, (_, (functions, _)) in enumerate(atoms):
        groups.setdefault(tuple(sorted({i for i, _ in functions})), []).append(number)
    for inputs, numbers in groups.items():
        A = factor(K[np.ix_(inputs, inputs)])
        for start in range(0, len(numbers), _BATCH):
            some = numbers[start : start + _BATCH]
            f = _integrand(sigma, K, list(inputs), A, [atoms[k] for k in some])
            value[some], error[some] = integrate_rank(sigma, f, A, integrate_panels)
    return value, error


def weighted(
    K: np.ndarray, term: Term, order: Sequence[int], members: Sequence[int]
) -> Counter[Atom]:
    """Atoms that add up to <d^order term>, the derivatives being by z's at fixed derivative fields.

    With y = C g + independent, d/dz_i at fixed y is sum_j (A^-1)_{ji} (d/dg_j - sum_y C_yj d/dy):
    d/dg_j becomes a Hermite weight, d/dy takes a factor away.

    **Raises:** `ValueError` where the covariance of the term's z's is singular.
    """
    # a z without variance stays 0: it has no g, and is not differentiated
    inputs = sorted({i for i, _ in term[0] if K[i, i] > 0})
    if not any(order):
        return Counter({((0,) * len(inputs), term): 1.0})
    A = factor(K[np.ix_(inputs, inputs)])
    if A.shape[1] < len(inputs) or any(k and i not in inputs for i, k in enumerate(order)):
        raise ValueError(
            "Hermite weights need pre-activations with a non-singular covariance, got "
            f"{K[np.ix_(inputs, inputs)].tolist()}: drop equal, opposite or vanishing inputs, or "
            "use an activation whose derivatives are known"
        )
    B = np.linalg.inv(A)
    C = regress(K, inputs, list(members), A)
    found: Counter[Atom] = Counter({((0,) * len(inputs), term): 1.0})
    for i, times in ((inputs.index(f), k) for f, k in enumerate(order) if k):
        for _ in range(times):
            found = _once(found, B[:, i], C, list(members))
    return found


def _once(atoms: Counter[Atom], row: np.ndarray, C: np.ndarray, members: list[int]):
    found: Counter[Atom] = Counter()
    for (m, (functions, ys)), coefficient in atoms.items():
        for j, b in enumerate(row):
            if b == 0:
                continue
            raised = (*m[:j], m[j] + 1, *m[j + 1 :])
            found[raised, (functions, ys)] += coefficient * b
            for y in set(ys):
                at = ys.index(y)
                less = ys[:at] + ys[at + 1 :]
                slope = C[members.index(y), j] * ys.count(y)
                found[m, (functions, less)] -= coefficient * b * slope
    return found


def _integrand(
    sigma: Activation, K: np.ndarray, inputs: list[int], A: np.ndarray, atoms: Sequence[Atom]
):
    """g (r, N) -> (len(atoms), N), derivative fields averaged given z = A g."""
    ys = sorted({y for _, (_, members) in atoms for y in members})
    C = regress(K, inputs, ys, A)
    left = K[np.ix_(ys, ys)] - C @ C.T
    covariance = {(y, x): left[i, j] for i, y in enumerate(ys) for j, x in enumerate(ys)}
    most = {i: max(k for _, (fs, _) in atoms for f, k in fs if f == i) for i in inputs}

    def f(g: np.ndarray) -> np.ndarray:
        s = {}
        for row, i in zip(A, inputs, strict=True):
            z = row @ g if len(g) else np.zeros(g.shape[1])
            for k, values in enumerate(_sigma(sigma, z, most[i])):
                s[i, k] = values
        mean = dict(zip(ys, C @ g if len(g) else np.zeros((len(ys), g.shape[1])), strict=True))
        he = [_hermite(x, max((m[j] for m, _ in atoms if m), default=0)) for j, x in enumerate(g)]
        cache: dict = {}
        out = np.empty((len(atoms), g.shape[1]))
        for number, (m, (functions, members)) in enumerate(atoms):
            out[number] = moment(members, mean, covariance, cache)
            for function in functions:
                out[number] *= s[function]
            for j, k in enumerate(m):
                if k:
                    out[number] *= he[j][k]
        return out

    return f


def _sigma(sigma: Activation, z: np.ndarray, order: int):
    if smooth_order(sigma) >= order:
        return derivatives(sigma, z, order)
    return [sigma.numpy(z, k) for k in range(order + 1)]


def _hermite(x: np.ndarray, order: int) -> list[np.ndarray]:
    he = [np.ones_like(x), x]
    for k in range(1, order):
        he.append(x * he[k] - k * he[k - 1])
    return he
