"""One line of `netsim.advise`: a number, where it comes from and how good it is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One item of the advice.

    **Fields:** `item`, its name; `value`, None where it is not known and `remark` says why; `source`:
    the theory; `error`, numerical; `truncation`: "exact", "infinite_width", the last power of 1/n kept,
    or None where there is nothing to truncate; `truncation_error`, None where it is not known;
    `remark`, a sentence or "".
    """

    item: str
    value: float | int | str | None
    source: str | None = None
    error: float | None = None
    truncation: str | int | None = None
    truncation_error: float | None = None
    remark: str = ""

    @property
    def uncertainty(self) -> float | None:
        """Numerical and truncation error together; None if either is not known.

        A limit of infinite width is meant as such: only its numerical error counts.
        """
        powers = isinstance(self.truncation, int)
        if self.error is None or (powers and self.truncation_error is None):
            return None
        return self.error + (self.truncation_error or 0.0)


def unknown(item: str, reason: object) -> Finding:
    """An item that no theory here covers, with the reason."""
    return Finding(item, None, remark=str(reason))
