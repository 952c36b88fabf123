"""A random fully connected network as data: widths, activation, variances, weight law. No sampling.

Model (Hanin 2204.01058): z^(1) = b + W x with Var W = C_W/n_0; z^(l+1) = b + W sigma(z^(l)) with
Var W = C_W/n_l and Var b = C_b, l = 1..L; the output z^(L+1) has no activation.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from netsim.networks.activation import Activation
from netsim.networks.activations import activation
from netsim.networks.weights import WeightLaw, weight_law

__all__ = ["Network", "network"]


@dataclass(frozen=True)
class Network:
    """An ensemble of fully connected networks, everything but the input and its dimension n_0.

    **Fields:**

    - `widths`: hidden widths (n_1, ..., n_L).
    - `activation`: sigma.
    - `weight_variance`, `bias_variance`: C_W and C_b, depth+1 numbers each, the first for the input
      layer. The variance of one weight into layer l+1 is C_W/n_l.
    - `outputs`: number of output neurons n_{L+1}.
    - `weights`: the law of sqrt(n_l / C_W) W, mean 0 and variance 1. Biases are Gaussian.
    """

    widths: tuple[int, ...]
    activation: Activation
    weight_variance: tuple[float, ...]
    bias_variance: tuple[float, ...]
    outputs: int
    weights: WeightLaw

    @property
    def depth(self) -> int:
        """L, the number of hidden layers."""
        return len(self.widths)

    @property
    def effective_depth(self) -> float:
        """sum_l 1/n_l over hidden layers; L/n at equal widths."""
        return sum(1.0 / n for n in self.widths)

    def describe(
        self,
        convention: str = "standard",
        *,
        norm2: float | None = None,
        dimension: int | None = None,
    ) -> str:
        """The network in the words of a convention: "standard", "ntk", "pdlt" or "lattice".

        **Arguments:** `norm2`: |x|^2/n_0; `dimension`: n_0; either adds numbers.

        **Raises:** `ValueError`.
        """
        from netsim.networks.conventions_text import describe

        return describe(self, convention, norm2=norm2, dimension=dimension)

    def identity(self) -> dict:
        """The facts that decide the distribution, as JSON-ready data."""
        return {
            "widths": list(self.widths),
            "activation": self.activation.identity,
            "weight_variance": list(self.weight_variance),
            "bias_variance": list(self.bias_variance),
            "outputs": self.outputs,
            "weights": self.weights.name,
        }


def _whole(value, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r}: must be a whole number >= 1") from None
    if isinstance(value, bool) or number < 1:
        raise ValueError(f"{name}={value!r}: must be a whole number >= 1")
    return number


def _variances(value, depth: int, name: str, positive: bool) -> tuple[float, ...]:
    given = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        numbers = [float(v) for v in given]
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r}: must be a number or depth+1 numbers") from None
    if len(numbers) == 1:
        numbers *= depth + 1
    if len(numbers) != depth + 1:
        raise ValueError(
            f"{name} has {len(numbers)} numbers; give one, or depth+1 = {depth + 1} "
            "(the first for the input layer)"
        )
    for v in numbers:
        if not math.isfinite(v) or v < 0 or (positive and v == 0):
            allowed = "> 0" if positive else ">= 0"
            raise ValueError(f"{name}={v}: a variance must be a finite number {allowed}")
    return tuple(numbers)


def network(
    activation_name: str | Activation = "relu",
    *,
    width: int | None = None,
    depth: int | None = None,
    widths: Sequence[int] | None = None,
    weight_variance: float | Sequence[float] | str = "critical",
    bias_variance: float | Sequence[float] | str = "critical",
    outputs: int = 2,
    weights: str | WeightLaw = "gaussian",
) -> Network:
    """Describe an ensemble; every bad value is refused here, in words.

    Either `width` and `depth`, or `widths` = hidden widths. `"critical"` takes C_W and C_b at the
    activation's critical point (relu: 2 and 0; see `netsim.networks.critical`).

    ```python
    import netsim
    netsim.network("relu", width=64, depth=8)                       # C_W = 2, C_b = 0
    netsim.network("tanh", widths=[64, 32, 64], weight_variance=1.4, bias_variance=0.1)
    ```

    **Raises:** `ValueError`.
    """
    from netsim.networks.critical import critical_couplings

    sigma = activation(activation_name)
    if widths is not None:
        if width is not None or depth is not None:
            raise ValueError(
                "widths=[...] lists the hidden layers and so fixes width and depth: "
                "give either widths, or width and depth"
            )
        if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) == 0:
            raise ValueError(f"widths={widths!r}: must list at least one hidden width")
        layers = tuple(_whole(n, "width in widths") for n in widths)
    else:
        if width is None or depth is None:
            raise ValueError("give width and depth, or widths=[n_1, ..., n_L]")
        layers = (_whole(width, "width"),) * _whole(depth, "depth")
    L = len(layers)
    if weight_variance == "critical" or bias_variance == "critical":
        C_b, C_W, _ = critical_couplings(sigma)
        weight_variance = C_W if weight_variance == "critical" else weight_variance
        bias_variance = C_b if bias_variance == "critical" else bias_variance
    return Network(
        widths=layers,
        activation=sigma,
        weight_variance=_variances(weight_variance, L, "weight_variance", positive=True),
        bias_variance=_variances(bias_variance, L, "bias_variance", positive=False),
        outputs=_whole(outputs, "outputs"),
        weights=_real(weight_law(weights)),
    )


def _real(law: WeightLaw) -> WeightLaw:
    if not law.is_real:
        raise ValueError(
            f"weights={law.name!r}: neurons would be complex, but activations, statistics and "
            "estimators of networks are real; complex weights are for products of matrices. Use one "
            "of the real laws"
        )
    return law
