"""`netsim list [what]`: what can be asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netsim.cli.compose import config_folder, input_options
from netsim.cli.words import nearest

__all__ = ["run", "topics"]

_FAMILIES = {
    "leaky_relu": "z for z > 0, a z below",
    "slopes": "a_plus z for z > 0, a_minus z below",
    "polynomial": "c0 + c1 z + c2 z^2 + ...",
}


def _activations() -> str:
    from netsim.networks.activations import activation, activation_names
    from netsim.networks.critical import critical_couplings

    lines = []
    for name in activation_names():
        if "(" in name:
            lines.append(f"  {name:<10}  {_FAMILIES.get(name.partition('(')[0], '')}".rstrip())
            continue
        sigma = activation(name)
        try:
            C_b, C_W, K = critical_couplings(sigma)
            kernel = "every K is K*" if K is None else f"K*={K:.10g}"
            point = f"critical at C_W={C_W:.10g}, C_b={C_b:.10g}, {kernel}"
        except ValueError:
            point = "no critical point"
        lines.append(f"  {name:<10}  {point}{_derivatives(sigma.derivatives)}")
    more = "other solutions, other activations and your own: netsim tune activation=NAME"
    return "\n".join(["network.activation=NAME", *lines, f"  {more}"])


def _derivatives(most: float) -> str:
    """How often a network may be differentiated in its inputs, where not as often as one likes."""
    if most == math.inf:
        return ""
    times = {0: "not at all", 1: "once"}.get(int(most), f"{most:g} times")
    return f"; differentiable in the inputs {times}"


def _weights() -> str:
    from netsim.networks.weights import LAWS

    lines = ["network.weights=  w of W = sqrt(C_W/fan_in) w; all but gaussian need sampler=dense"]
    return "\n".join([*lines, *(f"  {name:<14} {what}" for name, what in LAWS.items())])


def _inputs() -> str:
    from netsim.networks.input_sets import input_kinds

    known = input_options()
    lines = [f"  {kind:<8} {', '.join(known[kind])}" for kind in input_kinds()]
    norm2 = "  inputs.norm2=critical: |x|^2/n_0 that puts the first kernel at K*"
    return "\n".join(["inputs=KIND, then inputs.OPTION=value", *lines, norm2])


def _quantities() -> str:
    from netsim import quantities

    lines = [quantities.__doc__ or "", "statistics"]
    lines += [f"  {name:<7} {what}" for name, what in quantities.STATS.items()]
    lines += ["fields (all but M are measured by this version; H, dH and g need sampler=dense)"]
    lines += [f"  {name:<7} {what}" for name, (_, _, what) in quantities.FIELDS.items()]
    examples = {
        "cum[z1a^4]": "fourth cumulant of an output, every layer (3 kappa4)",
        "cum[z1a^4]@9": "the same at layer 9 only; @out: at the output",
        "cum[z1a^2 z2a^2]": "correlation between two neurons",
        "cum[z1a z1b]": "covariance of two inputs",
        "cum[z1a'u^2]": "variance of the derivative along direction u (inputs.directions=1)",
        "ncum[z1a^4]": "excess kurtosis",
        "cum[Saa Sbb]": "covariance of the collective variables",
        "cum[H1_1aa H2_2aa]": "covariance of the neural tangent kernels of two neurons",
        "cum[g2a^2]": "variance of |dz_1/dW^(2)|^2, W^(2) the weights into layer 2",
        "logcum[Saa]": "E log S, given a living network",
    }
    lines += ["examples", *(f"  {name:<18} {what}" for name, what in examples.items())]
    return "\n".join(lines)


def _aliases() -> str:
    from netsim.experiment.aliases import ALIASES

    lines = [
        f"  {name:<16} {stat}[z1a^{legs}] / {divisor}"
        for name, (stat, legs, divisor) in ALIASES.items()
    ]
    head = (
        "one per input, e.g. kappa4[a], kappa4[a]@9; without [..] for every input; in predict also "
        "kappa4[a]@out~1, the coefficient of 1/n"
    )
    return "\n".join([head, *lines])


def _experiments() -> str:
    from omegaconf import OmegaConf

    lines = []
    for path in sorted((config_folder() / "experiment").glob("*.yaml")):
        title = OmegaConf.select(OmegaConf.load(path), "title", default="")
        lines.append(f"  {path.stem:<18} {title}")
    return "\n".join(["experiment=", *lines])


def _claims() -> str:
    from netsim.cli.verify import listed

    return f"netsim verify NAME\n{listed()}"


def topics() -> dict:
    return {
        "activations": _activations,
        "weights": _weights,
        "inputs": _inputs,
        "quantities": _quantities,
        "aliases": _aliases,
        "experiments": _experiments,
        "claims": _claims,
    }


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    if flags["json"]:
        raise ValueError("list prints text, no rows: leave --json out")
    known = topics()
    for topic in overrides or known:
        if topic not in known:
            raise ValueError(
                f"nothing to list for {topic!r}.{nearest(topic, known)} Topics: {', '.join(known)}"
            )
    print("\n\n".join(known[topic]() for topic in (overrides or known)))
    return 0
