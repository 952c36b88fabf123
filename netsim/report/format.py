"""Numbers as people read them: 0.4321(12), the error in units of the last digits shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["plural", "ranges", "thousands", "value_error"]

SMALLEST_RELATIVE_ERROR = 1e-14  # float64 holds no more digits
PLAIN_EXPONENTS = range(-4, 6)  # outside, the number is written with a power of ten


def value_error(value: float | None, error: float | None = None) -> str:
    """`value` with its error in brackets: two digits, in units of the last digits shown.

    0.4321(12) is 0.4321 +- 0.0012, and 1.234(45)e-05 is (1.234 +- 0.045) 10^-5. Without a known
    error six digits are shown and no bracket; an error of zero is (0), one that is not finite is
    spelt out.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if error is None:
        return f"{value:.6g}"
    if error == 0 or not math.isfinite(error):
        return f"{value:.6g}({error:g})"
    error = max(abs(error), SMALLEST_RELATIVE_ERROR * abs(value))
    digits, power = _two_digits(error)
    lead = max(_exponent(value), power)
    if lead in PLAIN_EXPONENTS and power <= 1:
        return f"{value:.{1 - power}f}({digits})"
    # mantissa and exponent separately: 10.0**lead overflows or underflows at the ends of float64
    return f"{_scaled(value, lead):.{lead - power + 1}f}({digits})e{lead:+03d}"


def _two_digits(error: float) -> tuple[int, int]:
    """The error as `digits` * 10^(power - 1), with 10 <= digits <= 99."""
    mantissa, power = f"{error:.1e}".split("e")
    return int(mantissa.replace(".", "")), int(power)


def _exponent(value: float) -> int:
    """floor(log10 |value|); very small for zero."""
    return -(10**6) if value == 0 else int(f"{abs(value):e}".split("e")[1])


def _scaled(value: float, power: int) -> float:
    """value / 10^power without leaving the range of float64 on the way."""
    mantissa, own = f"{value:.17e}".split("e")
    return float(f"{mantissa}e{int(own) - power}")


def thousands(number: int | None) -> str:
    """1048576 -> 1,048,576."""
    return "–" if number is None else f"{number:,}"


def plural(count: int, noun: str) -> str:
    """1 row, 2 rows, 1,024 rows."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers with runs joined: [1, 2, 3, 7] -> "1–3, 7"."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)
