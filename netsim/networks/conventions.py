"""Networks by the names of their initialisation; each says what it sets.

    name      variance of a weight        C_W of layer l
    he        2/fan_in                    2
    lecun     1/fan_in                    1
    glorot    2/(fan_in + fan_out)        2 n_{l-1}/(n_{l-1} + n_l)
    standard  std^2, as given             n_{l-1} std^2
    ntk       std^2/fan_in                std^2

fan_in of the first layer is n_0, the dimension of the inputs. `describe` goes the other way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from netsim.networks.conventions_text import CONVENTIONS, describe
from netsim.networks.inputs_checks import whole
from netsim.networks.network import Network, network

__all__ = ["CONVENTIONS", "describe", "glorot", "he", "lecun", "ntk", "standard"]


def he(activation_name: str = "relu", **options: Any) -> Network:
    """He initialisation: C_W = 2 in every layer, the first and last included; C_b = 0 unless given.

    **Arguments:** `options`: those of `netsim.network` but `weight_variance`; `weights="uniform"`
    gives the uniform variant.

    **Raises:** `ValueError`.

    Source: He, Zhang, Ren, Sun, Delving deep into rectifiers, arXiv:1502.01852.
    """
    return network(activation_name, weight_variance=2.0, **_options("he", "C_W = 2", options))


def lecun(activation_name: str = "tanh", **options: Any) -> Network:
    """LeCun initialisation: C_W = 1 in every layer; C_b = 0 unless given.

    **Arguments, raises:** as `he`.

    Source: LeCun, Bottou, Orr, Mueller, Efficient BackProp (1998).
    """
    return network(activation_name, weight_variance=1.0, **_options("lecun", "C_W = 1", options))


def glorot(activation_name: str = "tanh", *, dimension: int, **options: Any) -> Network:
    """Glorot (Xavier) initialisation: Var W = 2/(fan_in + fan_out); C_b = 0 unless given.

        C_W^(l) = 2 n_{l-1}/(n_{l-1} + n_l),  l = 1..L+1, n_0 = `dimension`, n_{L+1} = `outputs`

    **Arguments:** `dimension`: n_0; `options`: as `he`.

    **Raises:** `ValueError`.

    Source: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural
    networks (2010), equation 12.
    """
    n_0 = whole(dimension, "dimension", least=1)
    words = "Var W = 2/(fan_in + fan_out)"
    net = network(activation_name, weight_variance=1.0, **_options("glorot", words, options))
    n = (n_0, *net.widths, net.outputs)
    C_W = tuple(2.0 * a / (a + b) for a, b in zip(n[:-1], n[1:], strict=True))
    return replace(net, weight_variance=C_W)


def standard(
    activation_name: str = "relu",
    *,
    weight_std: float | Sequence[float],
    bias_std: float | Sequence[float] = 0.0,
    dimension: int,
    **options: Any,
) -> Network:
    """Standard parametrisation: W ~ N(0, weight_std^2), b ~ N(0, bias_std^2), not scaled by width.

        C_W^(l) = n_{l-1} weight_std^2,  C_b = bias_std^2,  n_0 = `dimension`

    **Arguments:** `weight_std`, `bias_std`: what one types into a framework, a number or depth+1
    numbers; `dimension`: n_0; `options`: those of `netsim.network` but the variances.

    **Raises:** `ValueError`.
    """
    n_0 = whole(dimension, "dimension", least=1)
    net = _from_std("standard", activation_name, weight_std, bias_std, options)
    pairs = zip((n_0, *net.widths), net.weight_variance, strict=True)
    return replace(net, weight_variance=tuple(n * variance for n, variance in pairs))


def ntk(
    activation_name: str = "relu",
    *,
    weight_std: float | Sequence[float] = 1.0,
    bias_std: float | Sequence[float] = 0.0,
    **options: Any,
) -> Network:
    """NTK parametrisation: W = weight_std/sqrt(fan_in) w, b = bias_std beta, w and beta ~ N(0, 1).

        C_W = weight_std^2,  C_b = bias_std^2;  trained at unit rates: lambda_W = C_W, lambda_b = C_b

    **Arguments:** `weight_std`, `bias_std`: a number or depth+1 numbers (W_std and b_std of
    neural_tangents; Jacot et al. have 1 and beta); `options`: as `standard`.

    **Raises:** `ValueError`.

    Source: Jacot, Gabriel, Hongler, Neural tangent kernel, arXiv:1806.07572, section 2.
    """
    return _from_std("ntk", activation_name, weight_std, bias_std, options)


def _options(name: str, sets: str, options: dict[str, Any]) -> dict[str, Any]:
    if "weight_variance" in options:
        raise ValueError(f"{name} sets {sets}: leave weight_variance out, or use netsim.network")
    return {"bias_variance": 0.0, **options}


def _from_std(
    name: str, activation_name: str, weight_std: Any, bias_std: Any, options: dict[str, Any]
) -> Network:
    for key in ("weight_variance", "bias_variance"):
        if key in options:
            raise ValueError(f"{name} takes weight_std and bias_std: leave {key} out")
    return network(
        activation_name,
        weight_variance=_squared(weight_std, "weight_std", lambda s: s > 0, "> 0"),
        bias_variance=_squared(bias_std, "bias_std", lambda s: s >= 0, ">= 0"),
        **options,
    )


def _squared(
    value: Any, name: str, allowed: Callable[[float], bool], words: str
) -> float | list[float]:
    many = isinstance(value, Sequence) and not isinstance(value, str)
    given: list[Any] = list(value) if many else [value]
    try:
        numbers = [float(v) for v in given]
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r}: must be a number or depth+1 numbers") from None
    for v in numbers:
        if not math.isfinite(v) or not allowed(v):
            raise ValueError(f"{name}={v}: a standard deviation must be a finite number {words}")
    squares = [v * v for v in numbers]
    return squares if many else squares[0]
