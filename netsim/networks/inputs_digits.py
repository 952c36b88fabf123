"""Real inputs: handwritten digits, bundled with the package.

The test set of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak (1998), UCI
Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0; see netsim/data/DIGITS-LICENSE.txt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

import numpy as np

from netsim.networks.inputs import Inputs, from_vectors
from netsim.networks.inputs_checks import number_text, real, whole
from netsim.networks.inputs_transform import scaled

__all__ = ["digit_images", "digits"]


@cache
def digit_images() -> tuple[np.ndarray, np.ndarray]:
    """(1797, 64) grey values 0..16 and (1797,) labels 0..9, both read-only unsigned bytes.

    **Raises:** `OSError` if the installation lacks the file.
    """
    with (
        resources.files("netsim.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        images, labels = archive["images"], archive["labels"]
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def digits(
    indices: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    count: int | None = None,
    norm2: float | None = None,
) -> Inputs:
    """Handwritten digits, 8 x 8 pixels: n_0 = 64, x = grey value / 16 in [0, 1], label = the digit.

    **Arguments:**

    - `indices`: positions 0..1796 in the test set (default [0, 1], a zero and a one); an index that
      occurs twice gives duplicates.
    - `classes`: instead, digits 0..9: the first `count` (default 1) images of each, in this order.
    - `count` alone: the first `count` images.
    - `norm2`: scale every image to this |x|^2/n_0 (default: as they are, from 0.134 to 0.361).

    ```python
    from netsim.networks.inputs_digits import digits
    digits(classes=[3, 8], norm2=1).labels  # array([3, 8])
    ```

    **Raises:** `ValueError`.
    """
    images, labels = digit_images()
    chosen = _indices(labels, indices, classes, count)
    inputs = from_vectors(
        images[chosen] / 16.0,
        source=f"digits(indices={chosen})",
        labels=labels[chosen].astype(np.int64),
        facts=(
            "handwritten digits, 8 x 8 pixels, grey value / 16 (E. Alpaydin, C. Kaynak, 1998, UCI "
            "Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0)",
        ),
    )
    if norm2 is None:
        return inputs
    text = f"digits(indices={chosen}, norm2={number_text(real(norm2, 'norm2'))})"
    return replace(scaled(inputs, norm2), source=text)


def _indices(labels: np.ndarray, indices, classes, count) -> list[int]:
    if indices is not None and (classes is not None or count is not None):
        raise ValueError("digits: give indices=[...], or classes=[...] and count, not both")
    if indices is not None:
        chosen = [whole(i, "index") for i in _listed(indices, "indices")]
        for i in chosen:
            if i >= len(labels):
                raise ValueError(f"index {i}: the digits are numbered 0..{len(labels) - 1}")
        return chosen
    if classes is None:
        number = whole(2 if count is None else count, "count", least=1)
        if number > len(labels):
            raise ValueError(f"count={number}: there are {len(labels)} digits")
        return list(range(number))
    number = whole(1 if count is None else count, "count", least=1)
    chosen = []
    for digit in _listed(classes, "classes"):
        digit = whole(digit, "digit")
        found = np.flatnonzero(labels == digit)
        if digit > 9 or number > len(found):
            raise ValueError(
                f"digit {digit}, count={number}: digits are 0..9, with {len(found)} images of this"
            )
        chosen += [int(i) for i in found[:number]]
    return chosen


def _listed(values: Sequence[int], name: str) -> list[int]:
    if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)) or not len(values):
        raise ValueError(f"{name}={values!r}: give a list with at least one number, e.g. [0, 1]")
    return list(values)
