"""Activations and their critical points, shared by the tests of criticality."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from netsim.networks.activation import Activation
from netsim.networks.activations import activation
from netsim.networks.network import network
from netsim.theory.criticality.laws import Law, asymptotics
from netsim.theory.criticality.solve import Criticality, criticality
from netsim.theory.leading_order import leading

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
ORDERS = ("kappa4/kappa2^2", "kappa6/kappa2^3", "kappa8/kappa2^4")


def _elu(x, xp):
    return xp.where(x > 0, x, xp.exp(xp.where(x > 0, 0 * x, x)) - 1)


def _bent(x, xp):
    return xp.where(x > 0, x - 0.5 * x * x / (1 + x * x), 0 * x)


OWN = {
    "relu+x^3": Activation(
        "relu+x^3", (lambda x, xp: xp.where(x > 0, x, 0 * x) + x**3,), growth=3.0, kinks=(0.0,)
    ),
    "relu(tanh)": Activation(
        "relu(tanh)", (lambda x, xp: xp.where(x > 0, xp.tanh(x), 0 * x),), kinks=(0.0,)
    ),
    "elu": Activation("elu", (_elu,), kinks=(0.0,)),
    "bent": Activation("bent", (_bent,), kinks=(0.0,)),
    "hardtanh": Activation(
        "hardtanh",
        (lambda x, xp: xp.where(x > 1, 1 + 0 * x, xp.where(x < -1, 0 * x - 1, x)),),
        kinks=(-1.0, 1.0),
    ),
    "mish": Activation("mish", (lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)),)),
    "sigmoid": Activation("sigmoid", (lambda x, xp: xp.expit(x),)),
    "sign": Activation("sign", (lambda x, xp: xp.where(x > 0, 1 + 0 * x, 0 * x - 1),)),
    "step": Activation("step", (lambda x, xp: xp.where(x > 0.5, 1 + x, x),), kinks=(0.5,)),
    "affine": Activation("affine", (lambda x, xp: 1 + x,)),
    "constant": Activation("constant", (lambda x, xp: 1 + 0 * x,)),
    "sinh": Activation("sinh", (lambda x, xp: (xp.exp(x) - xp.exp(-x)) / 2,)),
    "|x|^1.5": Activation(
        "|x|^1.5", (lambda x, xp: xp.where(x > 0, 1, -1) * xp.abs(x) ** 1.5,), kinks=(0.0,)
    ),
}


def sigma_of(name: str) -> Activation:
    return OWN[name] if name in OWN else activation(name)


@cache
def found(name: str) -> Criticality:
    return criticality(sigma_of(name))


def positive(name: str):
    (point,) = [p for p in found(name).points if p.K]
    return point


def at_zero(name: str):
    return next(point for point in found(name).points if point.K == 0)


def laws_of(point, index: int = 0) -> dict[str, Law]:
    return {law.quantity: law for law in asymptotics(point)[index].laws}


def series(point, kernel: float, depth: int) -> dict[str, np.ndarray]:
    """The quantities at every L from the leading-order recursion, width 1."""
    C_W, C_b = point.weight_variance, point.bias_variance
    net = network(point.activation, width=1, depth=depth, weight_variance=C_W, bias_variance=C_b)
    found = leading(net, (kernel - C_b) / C_W)
    K = found.K
    powers = zip(ORDERS, (found.V, found.T, found.Q), (2, 3, 4), strict=True)
    return {"K": K, "kappa2/K - 1": found.D / K} | {name: x / K**k for name, x, k in powers}
