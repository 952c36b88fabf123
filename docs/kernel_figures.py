"""Figures of the kernel map at criticality: gelu near K*, and tanh, gelu and swish together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from figure_tools import Series, log_axes, new_figure, series_of
from scipy.optimize import brentq

from netsim.gaussian.one_field import expectation
from netsim.networks.activations import activation
from netsim.networks.critical import critical_couplings
from netsim.report.style import COLOURS, FAINT, INK
from netsim.theory.susceptibility import chi_parallel, chi_perp

__all__ = ["KERNEL_FIGURES"]


def step(name: str, K: float) -> float:
    """F(K) - K at the critical couplings."""
    sigma = activation(name)
    C_b, C_W, _ = critical_couplings(sigma)
    return C_b + C_W * expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)[0] - K


gelu_map = partial(step, "gelu")


def gelu_susceptibility(chi: Callable) -> Series:
    sigma = activation("gelu")
    K = np.geomspace(0.1, 100, 61)
    return series_of(K, [chi(sigma, critical_couplings(sigma)[1], float(k))[0] for k in K])


def gelu_step() -> Series:
    K = np.linspace(2.8, 4.1, 53)
    return series_of(K, [gelu_map(float(k)) for k in K])


def gelu_fixed_points() -> Series:
    """Fixed points of F and the slope chi_parallel there: the stable one, then K*."""
    sigma = activation("gelu")
    _, C_W, K_star = critical_couplings(sigma)
    K = [brentq(gelu_map, 2.8, 3.3, xtol=1e-13), K_star]
    return series_of(K, [chi_parallel(sigma, C_W, k)[0] for k in K])


# closer where gelu and swish have their fixed points
KERNELS = np.unique(
    np.concatenate(
        [np.geomspace(0.01, 100, 41), np.linspace(2.8, 4.2, 29), np.linspace(13.5, 15.5, 21)]
    )
)


def beta(name: str) -> Series:
    """F(K)/K - 1, the relative change of K in one layer."""
    return series_of(KERNELS, [step(name, float(K)) / K for K in KERNELS])


def slope(name: str) -> Series:
    """chi_parallel - 1 = F'(K) - 1."""
    sigma = activation(name)
    C_W = critical_couplings(sigma)[1]
    return series_of(KERNELS, [chi_parallel(sigma, C_W, float(K))[0] - 1 for K in KERNELS])


STABLE = {
    "gelu": (2.8, 3.3),
    "swish": (14.45, 14.8),
}  # between these lies the fixed point beside K*


def fixed_pair(name: str) -> Series:
    """The stable fixed point and the half-stable K*, with chi_parallel - 1 there."""
    sigma = activation(name)
    _, C_W, K_star = critical_couplings(sigma)
    K = [brentq(partial(step, name), *STABLE[name], xtol=1e-13), K_star]
    return series_of(K, [chi_parallel(sigma, C_W, k)[0] - 1 for k in K])


# --- drawing ------------------------------------------------------------------------------------


def draw_gelu_half_stable(series: dict[str, Series]):
    figure, axes = new_figure(7.4, 3.2, 1, 2)
    left, right = axes[0]
    stable, star = series["fixed points"]["x"]
    for name, label, colour in (
        ("chi_parallel", r"$\chi_\parallel$", COLOURS[0]),
        ("chi_perp", r"$\chi_\perp$", COLOURS[1]),
    ):
        left.plot(series[name]["x"], series[name]["y"], color=colour, label=label)
    left.axhline(1.0, color=FAINT, lw=0.8)
    left.axvline(star, color=FAINT, lw=0.8, ls=":")
    left.annotate("K*", (star, 0.62), textcoords="offset points", xytext=(4, 0))
    log_axes(left, x=False, y=False)
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:g}")
    left.set_xlabel("K")
    left.legend(loc="lower right")
    left.set_title("gelu: susceptibilities of one layer")
    right.plot(series["step"]["x"], 1e5 * np.array(series["step"]["y"]), color=COLOURS[2])
    right.axhline(0.0, color=FAINT, lw=0.8)
    right.plot([stable], [0], "o", color=INK, ms=5)
    right.plot([star], [0], "o", color=INK, mfc="white", ms=5)
    right.annotate(f"stable, K = {stable:.3f}", (stable, 0), textcoords="offset points",
                   xytext=(-2, 40),
                   arrowprops={"arrowstyle": "-", "color": FAINT})  # fmt: skip
    right.annotate("half-stable, K*", (star, 0), textcoords="offset points", xytext=(-12, 14))
    for K, way in ((2.86, 1), (3.3, -1), (3.95, -1)):  # where K goes in the next layer
        right.annotate("", (K + 0.06 * way, -4.6), (K - 0.06 * way, -4.6),
                       arrowprops={"arrowstyle": "->", "color": INK})  # fmt: skip
    right.set_xlabel("K")
    right.set_ylabel(r"$10^5\,(F(K) - K)$")
    right.set_title("change of K per layer near K*")
    return figure


def draw_beta_of_kernel(series: dict[str, Series]):
    from matplotlib.ticker import FixedLocator

    figure, axes = new_figure(7.4, 3.4, 1, 2)
    left, right = axes[0]
    for name, colour in zip(("tanh", "gelu", "swish"), COLOURS, strict=False):
        for ax, what in ((left, "beta"), (right, "chi")):
            ax.plot(series[f"{name} {what}"]["x"], series[f"{name} {what}"]["y"], color=colour)
        left.plot([], [], color=colour, label=name)
        if name not in STABLE:
            continue
        (stable, star), chis = series[f"{name} fixed points"].values()
        for ax, heights in ((left, (0, 0)), (right, chis)):
            ax.plot([star], [heights[1]], "o", color=colour, mfc="white", ms=6)
            ax.plot([stable], [heights[0]], "o", color=colour, ms=3)
    for ax, what in ((left, "F(K)/K - 1, change of K per layer"), (right, r"$\chi_\parallel - 1$")):
        ax.axhline(0.0, color=FAINT, lw=0.8)
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_yscale("symlog", linthresh=1e-6)
        ax.yaxis.set_major_locator(FixedLocator([-1, -1e-2, -1e-4, -1e-6, 0, 1e-6, 1e-4, 1e-2, 1]))
        ax.yaxis.set_minor_locator(FixedLocator([]))
        ax.set_title(what)
        ax.set_xlabel("K")
    right.set_ylim(top=1e-3)
    left.plot([], [], "o", color=INK, ms=3, label="stable")
    left.plot([], [], "o", color=INK, mfc="white", ms=5, label="half-stable, K*")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


KERNEL_FIGURES: dict[str, tuple[dict[str, Callable[[], Series]], Callable]] = {
    "gelu_half_stable": (
        {
            "chi_parallel": partial(gelu_susceptibility, chi_parallel),
            "chi_perp": partial(gelu_susceptibility, chi_perp),
            "step": gelu_step,
            "fixed points": gelu_fixed_points,
        },
        draw_gelu_half_stable,
    ),
    "beta_of_kernel": (
        {f"{name} beta": partial(beta, name) for name in ("tanh", "gelu", "swish")}
        | {f"{name} chi": partial(slope, name) for name in ("tanh", "gelu", "swish")}
        | {f"{name} fixed points": partial(fixed_pair, name) for name in STABLE},
        draw_beta_of_kernel,
    ),
}
