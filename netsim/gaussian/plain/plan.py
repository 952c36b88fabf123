"""Which integrals the derivatives of plain products need: work that does not depend on K.

For pre-activations without input derivatives, <d^gamma prod_{a in legs} sigma(z_a)> is a *key*: the
expectation of prod_f (d/dz)^{i_f} sigma(z_f)^{p_f} over the fields f that occur, p_f times each.
Keys of three and four fields are taken apart into two *parts* of one or two fields, in any of three
ways (`netsim.gaussian.chaos`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from netsim.gaussian.derivative_terms import Request

__all__ = ["Function", "Key", "Part", "PlainPlan", "plan_plain"]

Function = tuple[int, int]  # (p, i): the i-th derivative of sigma^p
Key = tuple[tuple[int, Function], ...]  # fields increasing, with a function of each
Part = Key  # of one or two fields
_WAYS = {
    3: (((0,), (1, 2)), ((1,), (0, 2)), ((2,), (0, 1))),
    4: (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))),
}


@dataclass(frozen=True)
class PlainPlan:
    """Keys and parts of a list of requests.

    **Fields:** `keys`; `key_of`, (requests,), their numbers, -1 where a derivative is by a field
    that does not occur; `legs`, the most in a key; `sharpness`, the most legs and derivatives in a
    key; `parts`; `many`, numbers of the keys of three and four fields; `splits`, (subsets, 3, 2),
    numbers of `frames`, the fields of parts; `subset_of`, (many,), the row of `splits` for a key;
    `rows`, (many, 3, 2), numbers of `parts`.
    """

    keys: tuple[Key, ...]
    key_of: np.ndarray
    legs: int
    sharpness: int
    parts: tuple[Part, ...]
    many: np.ndarray
    frames: tuple[tuple[int, ...], ...]
    splits: np.ndarray
    subset_of: np.ndarray
    rows: np.ndarray


@lru_cache(maxsize=16)
def plan_plain(requests: tuple[Request, ...]) -> PlainPlan:
    """The plan of `requests`. **Raises:** `ValueError` for products over five or more fields."""
    keys: dict[Key, int] = {}
    key_of = [-1 if key is None else _number(keys, key) for key in map(_key, requests)]
    parts: dict[Part, int] = {}
    frames: dict[tuple[int, ...], int] = {}
    subsets: dict[tuple, int] = {}
    many, subset_of, rows = [], [], []
    for key, number in keys.items():
        if len(key) < 3:
            continue
        if len(key) > 4:
            raise ValueError(
                f"a product of features of {len(key)} inputs: at most 4 are integrated"
            )
        ways = [[tuple(key[i] for i in side) for side in way] for way in _WAYS[len(key)]]
        split = tuple(tuple(_number(frames, _fields(p)) for p in way) for way in ways)
        many.append(number)
        subset_of.append(_number(subsets, split))
        rows.append([[_number(parts, part) for part in way] for way in ways])
    return PlainPlan(
        keys=tuple(keys),
        key_of=np.array(key_of, dtype=int),
        legs=max(sum(p for _, (p, _) in key) for key in keys),
        sharpness=max(sum(p + i for _, (p, i) in key) for key in keys),
        parts=tuple(parts),
        many=np.array(many, dtype=int),
        frames=tuple(frames),
        splits=np.array(list(subsets), dtype=int).reshape(-1, 3, 2),
        subset_of=np.array(subset_of, dtype=int),
        rows=np.array(rows, dtype=int).reshape(-1, 3, 2),
    )


def _key(request: Request) -> Key | None:
    legs, order = request
    power = Counter(legs)
    if any(i and not power[field] for field, i in enumerate(order)):
        return None
    return tuple((field, (power[field], order[field])) for field in sorted(power))


def _fields(key: Key) -> tuple[int, ...]:
    return tuple(field for field, _ in key)


def _number(place: dict, item) -> int:
    return place.setdefault(item, len(place))
