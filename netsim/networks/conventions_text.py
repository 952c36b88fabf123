"""A network written out in each convention of the literature, with its numbers layer by layer."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from netsim.networks.critical import critical_couplings
from netsim.networks.inputs_checks import real, whole
from netsim.networks.network import Network

__all__ = ["CONVENTIONS", "describe"]


@dataclass(frozen=True)
class _Layer:
    """What decides the weights into z^(l); `fan_in` is None where n_0 is not known."""

    fan_in: int | None
    fan_out: int
    C_W: float
    C_b: float


def describe(
    network: Network,
    convention: str = "standard",
    *,
    norm2: float | None = None,
    dimension: int | None = None,
) -> str:
    """The network in words and numbers of a convention; layers that are alike share a line.

    **Arguments:** `convention`: "standard" (standard deviations per layer, as frameworks have them),
    "ntk" (weights of variance one, scaled), "pdlt" (Roberts, Yaida, Hanin, arXiv:2106.10165) or
    "lattice" (Schoenholz, Pennington, Sohl-Dickstein, arXiv:1710.06570); `norm2`: |x|^2/n_0, adds
    the variance of the first layer; `dimension`: n_0, which a network does not know by itself.

    **Raises:** `ValueError`.
    """
    if convention not in _WRITERS:
        near = difflib.get_close_matches(str(convention), CONVENTIONS, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"unknown convention {convention!r}.{hint} Known: {', '.join(CONVENTIONS)}"
        )
    n_0 = None if dimension is None else whole(dimension, "dimension", least=1)
    K_0 = None if norm2 is None else real(norm2, "norm2", least=0)
    return "\n".join(_WRITERS[convention](network, _layers(network, n_0), K_0))


def _layers(network: Network, n_0: int | None) -> list[_Layer]:
    n = [*network.widths, network.outputs]
    couplings = zip(network.weight_variance, network.bias_variance, strict=True)
    return [
        _Layer(n_0 if l == 0 else n[l - 1], n[l], C_W, C_b)
        for l, (C_W, C_b) in enumerate(couplings)
    ]


def _table(layers: Sequence[_Layer], head: Sequence[str], line: Callable) -> list[str]:
    """Aligned lines; runs of equal layers become one line."""
    lines, first = [tuple(head)], 1
    for layer, run in groupby(layers):
        last = first + len(list(run)) - 1
        lines.append((f"{first}" if first == last else f"{first}..{last}", *line(layer)))
        first = last + 1
    widths = [max(len(row[i]) for row in lines) for i in range(len(head))]
    return [
        "  " + "  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip()
        for row in lines
    ]


def _per_root(value: float, fan_in: int | None) -> str:
    """value / sqrt(fan_in), or the same in letters for the input layer."""
    return f"{value:.6g}/sqrt(n_0)" if fan_in is None else f"{value / math.sqrt(fan_in):.6g}"


def _count(fan_in: int | None) -> str:
    return "n_0" if fan_in is None else str(fan_in)


def _first_variance(name: str, layers: Sequence[_Layer], K_0: float | None) -> list[str]:
    if K_0 is None:
        return []
    K = layers[0].C_b + layers[0].C_W * K_0
    return [f"At |x|^2/n_0 = {K_0:g}: {name} = {K:.6g}, exact at every width."]


# --- standard ----------------------------------------------------------------------------------

_LAWS = {
    "gaussian": "W ~ N(0, std^2)",
    "uniform": "W uniform on [-a, a] with a = sqrt(3) std",
    "rademacher": "W = +-std with equal probability",
    "sparse": "W = +-std/sqrt(p) with probability p/2 each, else 0",
    "student_t": "W = std sqrt((nu-2)/nu) T with Student's T of nu degrees of freedom",
    "orthogonal": "W = std sqrt(max(fan_in, fan_out)) Q with orthonormal rows or columns of Q, Haar",
}


def _initialiser(layer: _Layer) -> str:
    """The names of W's variance: He 2/fan_in, LeCun 1/fan_in, Glorot 2/(fan_in + fan_out)."""
    same = lambda C_W: math.isclose(layer.C_W, C_W, rel_tol=1e-12)
    names = [name for name, C_W in (("He", 2.0), ("LeCun", 1.0)) if same(C_W)]
    if layer.fan_in is not None and same(2 * layer.fan_in / (layer.fan_in + layer.fan_out)):
        names.append("Glorot")
    return " = ".join(names) or "-"


def _standard(network: Network, layers: Sequence[_Layer], K_0: float | None) -> list[str]:
    law = network.weights
    words = _LAWS.get(law.kind, f"W of the law {law.name} with mean 0 and variance std^2")
    return [
        f"standard: {network.activation.name}, {words}, {law.name}; b ~ N(0, std^2).",
        "Parameters are W and b themselves: z = b + W sigma(z), std W = sqrt(C_W/fan_in), "
        "std b = sqrt(C_b).",
        *_table(
            layers,
            ("layer", "fan_in", "fan_out", "std W", "std b", "W as in"),
            lambda x: (
                _count(x.fan_in),
                str(x.fan_out),
                _per_root(math.sqrt(x.C_W), x.fan_in),
                f"{math.sqrt(x.C_b):.6g}",
                _initialiser(x),
            ),
        ),
        *_first_variance("Var z of layer 1", layers, K_0),
    ]


# --- ntk ---------------------------------------------------------------------------------------


def _ntk(network: Network, layers: Sequence[_Layer], K_0: float | None) -> list[str]:
    law = network.weights
    words = "standard normal" if law.is_gaussian else f"{law.name}, mean 0 and variance 1"
    return [
        f"ntk: {network.activation.name}, w {words}; beta standard normal.",
        "Parameters are w and beta: z = sqrt(C_b) beta + sqrt(C_W/n_{l-1}) w sigma(z).",
        "Gradient descent on them with unit rates moves W and b with the rates lambda_W/n_{l-1} and "
        "lambda_b, lambda_W = C_W, lambda_b = C_b.",
        *_table(
            layers,
            ("layer", "n_{l-1}", "n_l", "factor of w", "W_std", "b_std", "lambda_W", "lambda_b"),
            lambda x: (
                _count(x.fan_in),
                str(x.fan_out),
                _per_root(math.sqrt(x.C_W), x.fan_in),
                f"{math.sqrt(x.C_W):.6g}",
                f"{math.sqrt(x.C_b):.6g}",
                f"{x.C_W:.6g}",
                f"{x.C_b:.6g}",
            ),
        ),
        *_first_variance("Var z of layer 1", layers, K_0),
        "W_std = sqrt(C_W), b_std = sqrt(C_b) are the names of neural_tangents.",
    ]


# --- pdlt --------------------------------------------------------------------------------------


def _critical(network: Network) -> str:
    try:
        C_b, C_W, K = critical_couplings(network.activation)
    except ValueError:
        return f"No critical point is known for {network.activation.name}."
    found = zip(network.weight_variance, network.bias_variance, strict=True)
    here = all(math.isclose(w, C_W) and math.isclose(b, C_b, abs_tol=1e-12) for w, b in found)
    where = "for every K*" if K is None else f"K* = {K:.6g}"
    return f"Critical point: C_W = {C_W:.6g}, C_b = {C_b:.6g}, {where}; " + (
        "this network is at it." if here else "this network is not at it."
    )


def _pdlt(network: Network, layers: Sequence[_Layer], K_0: float | None) -> list[str]:
    L = network.depth
    law = "" if network.weights.is_gaussian else f", {network.weights.name} weights"
    return [
        f"pdlt: {network.activation.name}{law}, layers l = 1..{L + 1}, the output being the last "
        f"(its L is {L + 1}, ours counts the {L} hidden ones).",
        "E[b b] = C_b, E[W W] = C_W/n_{l-1}; rates lambda_b for b, lambda_W/n_{l-1} for W.",
        "K^(l): variance of z^(l) at infinite width. V^(l) = n_{l-1} kappa_4^(l), so that "
        "cum[z1a^4]@l = 3 V^(l)/n_{l-1}.",
        *_table(
            layers,
            ("l", "n_{l-1}", "n_l", "C_W", "C_b", "E[W W]"),
            lambda x: (
                _count(x.fan_in),
                str(x.fan_out),
                f"{x.C_W:.6g}",
                f"{x.C_b:.6g}",
                f"{x.C_W:.6g}/n_0" if x.fan_in is None else f"{x.C_W / x.fan_in:.6g}",
            ),
        ),
        *_first_variance("K^(1)", layers, K_0),
        _critical(network),
    ]


# --- lattice -----------------------------------------------------------------------------------


def _lattice(network: Network, layers: Sequence[_Layer], K_0: float | None) -> list[str]:
    L = network.depth
    if network.weights.is_gaussian:
        action = (
            "Action: S = sum_l [ |z^l|^2/(2 K_l) + (N_l/2) log(2 pi K_l) ], "
            "K_l = sigma_b^2 + sigma_w^2 |y^{l-1}|^2/N_{l-1}, P = e^-S."
        )
    else:
        action = f"With {network.weights.name} weights e^-S of the Gaussian action is not the law."
    return [
        f"lattice: phi = {network.activation.name}, z^l = W^l y^{{l-1}} + b^l, y^l = phi(z^l), "
        "y^0 = x.",
        f"Sites l = 1..{L + 1}, the output being z^{L + 1}; l is our layer. Papers that call the "
        "first pre-activation z^0 (arXiv:1611.01232) have every index smaller by one.",
        action,
        *_table(
            layers,
            ("l", "N_{l-1}", "N_l", "sigma_w^2", "sigma_b^2", "sigma_w", "sigma_b"),
            lambda x: (
                _count(x.fan_in),
                str(x.fan_out),
                f"{x.C_W:.6g}",
                f"{x.C_b:.6g}",
                f"{math.sqrt(x.C_W):.6g}",
                f"{math.sqrt(x.C_b):.6g}",
            ),
        ),
        *_first_variance("K_1", layers, K_0),
    ]


_WRITERS = {"standard": _standard, "ntk": _ntk, "pdlt": _pdlt, "lattice": _lattice}
CONVENTIONS = tuple(_WRITERS)
