"""Claims on gradients: they hold, and each rejects its smallest wrong values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import (
    gradient_controls,
    gradient_limit,
    gradients_if,
    gradients_only_if,
)
from netsim.claims.hierarchy.gradient_ratio import (
    exact_excess,
    excess_terms,
    first_order_excess,
)
from netsim.networks.network import network

CLAIMS = (gradients_if.CLAIM, gradients_only_if.CLAIM, gradient_controls.CLAIM)


def verdicts(checks) -> list[str]:
    return [check.verdict for check in checks]


def test_R_of_homogeneous_activations_is_a_product():
    for name in gradients_if.SLOPES:
        assert set(verdicts(gradients_if.exact(Trial(), name))) == {"holds"}
        wrong = Trial(wrong={"product": gradients_if.CLAIM.rejects["product"]})
        assert verdicts(gradients_if.exact(wrong, name)).count("fails") == 12
        assert set(verdicts(gradients_only_if.homogeneous(Trial(), name, 64))) == {"holds"}


@pytest.mark.slow
def test_R_of_relu_beside_simulation():
    (check,) = gradients_if.simulated(Trial(), "relu", 2, 65536)
    assert check.verdict == "holds" and check.detects < 0.1


def test_the_limit_of_R_where_the_critical_kernel_is_zero():
    assert set(verdicts(gradients_if.in_the_limit(Trial()))) == {"holds"}
    wrong = Trial(wrong={"limit": gradients_if.CLAIM.rejects["limit"]})
    assert "fails" in verdicts(gradients_if.in_the_limit(wrong))


def test_gradients_of_a_linear_network_are_the_limit_without_damping():
    """p -> 0: E m = m and E m^2 = exp(2 s) m^2, a product of Gaussian matrices."""
    points, s = 601, 0.5
    for generator, parts, mean in (
        (gradient_limit._first_moment(points), 2, 1.0),
        (gradient_limit._second_moment(points), 3, math.exp(2 * s)),
    ):
        u = np.zeros(parts * points)
        u[:points] = 1.0
        for _ in range(4000):  # explicit steps at the low end, where rates are of order 1
            change = generator[: parts * points] @ u
            u = u + s / 4000 * np.where(np.tile(np.arange(points) < 100, parts), change, 0.0)
        assert u[0] == pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize("name", ["tanh", "gelu"])
def test_first_order_by_two_recursions(name):
    norm2 = gradient_controls._norm2(name) if name == "gelu" else 0.7
    net = network(name, width=1, depth=6)
    series = excess_terms(net, norm2)[:, 1]
    assert first_order_excess(net, norm2) == pytest.approx(series, rel=1e-9, abs=1e-12)


def test_series_of_linear_networks_is_the_exact_product():
    terms = excess_terms(network("linear", width=8, depth=3), 1.0, 2)[-1]
    assert terms == pytest.approx([0, 6, 12, 8], abs=1e-9)
    assert exact_excess(network("linear", width=8, depth=3)) == pytest.approx(1.25**3 - 1)


def test_half_stable_activations_violate_the_only_if():
    for name in ("gelu", "swish"):
        assert set(verdicts(gradient_controls.violated(Trial(), name))) == {"holds"}
    wrong = Trial(wrong={"exponent": gradient_controls.CLAIM.rejects["exponent"]})
    assert "fails" in verdicts(gradient_controls.violated(wrong, "gelu"))
    assert set(verdicts(gradient_controls.half_stable(Trial(), "gelu", 8))) == {"holds"}
    wrong = Trial(wrong={"half_stable": gradient_controls.CLAIM.rejects["half_stable"]})
    assert set(verdicts(gradient_controls.half_stable(wrong, "gelu", 8))) == {"fails"}
