"""Names of quantities: one canonical text per quantity, shared by simulation and theory.

Grammar (`netsim list quantities` prints it with examples):

    quantity = stat "[" leg { " " leg } "]" [ "@" layer ] [ "~" order ]
    stat     = "cum" | "ncum" | "mom" | "logcum"
    leg      = field [ index { "_" index } ] { slot } [ "@" layer ] [ "^" multiplicity ]
    field    = "z" | "S" | "q" | "H" | "dH" | "M" | "g" | "{name}"
    slot     = input [ "'" direction { direction } ]
    input    = [a-m][digits]      direction = [p-w][digits]      layer = integer | "out"

`cum` is a joint cumulant, `ncum` the same divided by the legs' standard deviations, `mom` a raw
moment, `logcum` a cumulant of log|leg| given a living network. `~k` is the coefficient of n^-k.
`{name}` is a user's observable (`netsim.observable`); its inputs follow it in the observable's own
order, e.g. `cum[{overlap}ab^2]`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from itertools import groupby

__all__ = [
    "FIELDS", "STATS", "Leg", "Quantity", "Slot", "is_observable", "parse", "register_field",
]  # fmt: skip

STATS = {
    "cum": "joint cumulant",
    "ncum": "joint cumulant divided by the legs' standard deviations",
    "mom": "raw moment",
    "logcum": "cumulant of log|leg|, given a living network",
}
# field -> (number of neuron indices allowed, number of slots, what it is)
FIELDS: dict[str, tuple[tuple[int, ...], int, str]] = {
    "z": ((1,), 1, "pre-activation of one neuron"),
    "S": ((0,), 2, "collective variable C_b + (C_W/n) sum_j sigma sigma of the layer"),
    "q": ((0,), 1, "|z|^2/n of the layer"),
    "H": ((2,), 2, "neural tangent kernel of two neurons, NTK parametrisation"),
    "dH": ((3,), 3, "Hessian of the first neuron between the gradients of the two others"),
    "M": ((1,), 1, "(1/n) Tr (J J^T)^index"),
    "g": ((1,), 1, "|dz_1/dW^(index)|^2, squared gradient norm of the weights into layer index"),
}
_SYMMETRIC_SLOTS = {"S"}
_INDICES = {  # those that are no neurons
    "g": "the number of a weight block (g2a: the weights into layer 2)",
    "M": "a power (M2a)",
}
Layer = int | str | None


def register_field(name: str, slots: int, what: str) -> None:
    """Add the field {name} with that many slots, in the order in which they are written."""
    FIELDS["{" + name + "}"] = ((0,), slots, what)


def is_observable(field: str) -> bool:
    """Whether the field is a registered one, written {name}."""
    return field.startswith("{")


@dataclass(frozen=True, order=True)
class Slot:
    """An input (e.g. "a") and the directions it is differentiated along (e.g. ("u", "v"))."""

    input: str
    directions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.input + ("'" + "".join(self.directions) if self.directions else "")


@dataclass(frozen=True)
class Leg:
    """One entry of a joint cumulant; `layer` is None where the quantity's common layer holds."""

    field: str
    indices: tuple[int, ...]
    slots: tuple[Slot, ...]
    layer: Layer = None

    @property
    def text(self) -> str:
        own = "" if self.layer is None else f"@{self.layer}"
        indices = "_".join(map(str, self.indices))
        return self.field + indices + "".join(s.text for s in self.slots) + own

    def _key(self):
        return (self.field, str(self.layer), self.slots, self.indices)


@dataclass(frozen=True)
class Quantity:
    """A named quantity in canonical form; build it with `parse`, print it with `text`."""

    stat: str
    legs: tuple[Leg, ...]
    layer: Layer = None
    order: int | None = None

    @property
    def text(self) -> str:
        """The canonical text, equal for equal quantities."""
        groups = ((leg, len(list(same))) for leg, same in groupby(self.legs))
        legs = " ".join(leg.text + (f"^{count}" if count > 1 else "") for leg, count in groups)
        layer = "" if self.layer is None else f"@{self.layer}"
        order = "" if self.order is None else f"~{self.order}"
        return f"{self.stat}[{legs}]{layer}{order}"

    def __str__(self) -> str:
        return self.text

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that occur, sorted."""
        return tuple(sorted({s.input for leg in self.legs for s in leg.slots}))

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(sorted({leg.field for leg in self.legs}))

    def at(self, layer: Layer) -> Quantity:
        """The same quantity at another common layer."""
        return replace(self, layer=layer)


def _fail(text: str, position: int, message: str) -> ValueError:
    pointer = " " * position + "^"
    return ValueError(
        f"quantity {text!r}, position {position + 1}: {message}\n  {text}\n  {pointer}\n"
        "`netsim list quantities` shows the grammar."
    )


def parse(text: str | Quantity) -> Quantity:
    """The canonical `Quantity` that `text` names.

    Neurons are renumbered, slots of symmetric fields and legs sorted, equal legs joined by ^.

    ```python
    from netsim.quantities import parse
    assert parse("cum[z3b z3a z1a^2]@9").text == "cum[z1a^2 z2a z2b]@9"
    ```

    **Raises:** `ValueError` that points at the position and names the nearest valid word.
    """
    if isinstance(text, Quantity):
        return text
    text = str(text).strip()
    head = re.match(r"([A-Za-z]*)\[", text)
    stat = head.group(1) if head else re.findall(r"[A-Za-z]*", text)[0]
    if stat not in STATS:
        near = difflib.get_close_matches(stat, STATS, 1, 0.4)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise _fail(text, 0, f"unknown statistic {stat!r}{hint} Known: {', '.join(STATS)}")
    if head is None:
        raise _fail(text, len(stat), "'[' expected after the statistic")
    close = text.find("]", head.end())
    if close < 0:
        raise _fail(text, len(text), "']' is missing")
    tail = re.fullmatch(r"(?:@(\d+|out))?(?:~(\d+))?", text[close + 1 :])
    if tail is None:
        raise _fail(text, close + 1, "after ']' comes nothing, or @layer, or ~order")
    legs: list[Leg] = []
    for word in re.finditer(r"\S+", text[head.end() : close]):
        legs += _leg(text, word.group(0), head.end() + word.start())
    if not legs:
        raise _fail(text, head.end(), "at least one leg is needed, e.g. z1a")
    order = None if tail.group(2) is None else int(tail.group(2))
    return Quantity(stat, _canonical(legs), _layer(tail.group(1)), order)


def _layer(text: str | None) -> Layer:
    return text if text is None or text == "out" else int(text)


_LEG = re.compile(
    r"(?P<field>\{\w+\}|dH|[A-Za-z])(?P<indices>\d+(?:_\d+)*)?(?P<slots>[^@^]*)"
    r"(?:@(?P<layer>\d+|out))?(?:\^(?P<power>\d+))?"
)
_SLOT = re.compile(r"([a-m]\d*)(?:'((?:[p-w]\d*)+))?")


def _leg(text: str, word: str, start: int) -> list[Leg]:
    match = _LEG.fullmatch(word)
    if match is None:
        raise _fail(text, start, f"{word!r} is not a leg, e.g. z1a, Sab, z1a'u^2, qa@3")
    field = match["field"]
    if field not in FIELDS:
        own = "Register it with @netsim.observable. " if is_observable(field) else _braces(word)
        near = _nearest_field(field)
        raise _fail(text, start, f"unknown field {field!r}, nearest: {near!r}. {own}{_known()}")
    indices = tuple(int(i) for i in match["indices"].split("_")) if match["indices"] else ()
    allowed, slot_count, _ = FIELDS[field]
    if len(indices) not in allowed:
        what = _INDICES.get(field, f"{allowed[0] or 'no'} neuron index(es)")
        raise _fail(
            text, start + len(field),
            f"field {field!r} takes {what}, got {len(indices)}. {_braces(word)}".rstrip(),
        )  # fmt: skip
    if any(i < 1 for i in indices):
        raise _fail(text, start + len(field), "indices count from 1")
    slots, at = [], match.start("slots")
    while at < match.end("slots"):
        slot = _SLOT.match(word, at, match.end("slots"))
        if slot is None:
            raise _fail(
                text, start + at,
                f"an input a..m expected, then perhaps ' and directions p..w. {_braces(word)}"
                .rstrip(". "),
            )  # fmt: skip
        directions = re.findall(r"[p-w]\d*", slot.group(2) or "")
        slots.append(Slot(slot.group(1), tuple(sorted(directions))))
        at = slot.end()
    if len(slots) != slot_count:
        raise _fail(
            text, start + match.start("slots"),
            f"field {field!r} takes {slot_count} input(s), got {len(slots)}",
        )  # fmt: skip
    if field in _SYMMETRIC_SLOTS:
        slots.sort()
    power = int(match["power"]) if match["power"] else 1
    if power < 1:
        raise _fail(text, start + match.start("power"), "the multiplicity must be >= 1")
    return [Leg(field, indices, tuple(slots), _layer(match["layer"]))] * power


def _nearest_field(field: str) -> str:
    same = [name for name in FIELDS if name.lower() == field.lower()]
    return (same or difflib.get_close_matches(field, FIELDS, 1, 0.3) or ["z"])[0]


def _braces(word: str) -> str:
    """The hint for the name of an observable without its braces, or nothing."""
    own = [name for name in FIELDS if is_observable(name) and word.startswith(name.strip("{}"))]
    if own:
        name = max(own, key=len)
        return f"Observables are written in braces: {name}{word[len(name) - 2 :]}. "
    several = re.match(r"[A-Za-z]{4}", word)
    return "Observables are written in braces, e.g. {overlap}ab. " if several else ""


def _known() -> str:
    return "Known: " + ", ".join(f"{name} ({what})" for name, (_, _, what) in FIELDS.items())


def _is_neuron(leg: Leg) -> bool:
    return leg.field not in ("M", "g")  # there the index is a power or a weight block


def _symmetric(leg: Leg) -> Leg:
    """A kernel with its (slot, neuron) pairs sorted: H_ij;ab = H_ji;ba, dH in its last two pairs."""
    free = {"H": 0, "dH": 1}.get(leg.field)
    if free is None:
        return leg
    pairs = list(zip(leg.slots, leg.indices, strict=True))
    pairs[free:] = sorted(pairs[free:])
    slots, indices = zip(*pairs, strict=True)
    return replace(leg, slots=slots, indices=indices)


def _canonical(legs: list[Leg]) -> tuple[Leg, ...]:
    """Sorted legs with neurons renumbered so that relabelled quantities get one text.

    Neurons are ordered by what hangs on them (a signature without numbers), most legs first among
    equal first legs, and numbered in that order; neurons that tie are interchangeable unless they
    share legs (NTK), where the smallest text over relabellings is taken. Neuron 1 stays what it is
    where g looks at it.
    """
    from itertools import permutations

    neurons = sorted({i for leg in legs if _is_neuron(leg) for i in leg.indices})
    # g looks at neuron 1, which keeps its name beside it
    fixed = [1] if any(leg.field == "g" for leg in legs) else []
    neurons = [i for i in neurons if i not in fixed]

    def relabelled(order) -> tuple[Leg, ...]:
        number = {old: new + 1 for new, old in enumerate((*fixed, *order))}
        moved = [
            _symmetric(replace(leg, indices=tuple(number[i] for i in leg.indices)))
            if _is_neuron(leg)
            else leg
            for leg in legs
        ]
        return tuple(sorted(moved, key=lambda leg: (leg.indices, *leg._key())))

    if any(len(leg.indices) > 1 for leg in legs if _is_neuron(leg)):
        return min(
            (relabelled(order) for order in permutations(neurons)),
            key=lambda moved: [(leg.indices, *leg._key()) for leg in moved],
        )

    def signature(neuron: int):
        own = sorted(leg._key()[:3] for leg in legs if _is_neuron(leg) and neuron in leg.indices)
        return own

    return relabelled(sorted(neurons, key=signature))
