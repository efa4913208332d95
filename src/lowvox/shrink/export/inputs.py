"""What a network takes, in one line for each input, and random inputs of several lengths after it.

    mel:float32:1,80,T     ids:int64:B,T:256     speaker:int64:

A name, a type as numpy has it, the sizes of its axes, and for whole numbers the first that is too large. A letter (or a
word) stands for an axis of any length; the same one is the same length everywhere. ONNX, torch and numpy all say the
same with less, but each in a way of its own and over several options. Knows neither torch nor ONNX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

TYPES = ("float32", "float16", "float64", "int64", "int32", "int8", "uint8", "bool")
LENGTHS = (24, 50, 133)
# How many inputs at once are tried where a letter stands first: one only could hide that more do not work.
_TOGETHER = (2, 1, 3)
_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_BELOW = 2  # where nothing is said: masks and flags
_HOW = "write NAME:TYPE:SIZES, such as mel:float32:1,80,T"


@dataclass(frozen=True, slots=True)
class Spec:
    """An input: whole numbers in it are from 0 to `below`, that one not included."""

    name: str
    dtype: str
    sizes: tuple[int | str, ...]
    below: int = _BELOW

    @property
    def open(self) -> dict[int, str]:
        """The axes that have any length."""
        return {at: size for at, size in enumerate(self.sizes) if isinstance(size, str)}


def parse(text: str) -> Spec:
    """Read one input; UsageError for what cannot be meant."""
    name, *rest = text.split(":")
    if not 2 <= len(rest) <= 3:
        raise UsageError(f"{text!r} is not an input: {_HOW}.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} in {text!r} is not a name: {_HOW}.")
    if rest[0] not in TYPES:
        raise UsageError(f"{rest[0]!r} in {text!r} is not a type; there are {', '.join(TYPES)}.")
    sizes = tuple(_size(each.strip(), text) for each in rest[1].split(",")) if rest[1] else ()
    if len(rest) == 2:
        return Spec(name, rest[0], sizes)
    below = _number(rest[2])
    if not below or rest[0].startswith("float"):
        raise UsageError(f"{rest[2]!r} in {text!r} is not the number that an input of whole numbers stays below.")
    return Spec(name, rest[0], sizes, below)


def several(texts: Sequence[str]) -> tuple[Spec, ...]:
    """Read all inputs of a network; UsageError where there are none, or two of one name."""
    specs = tuple(map(parse, texts))
    names = [spec.name for spec in specs]
    if not specs:
        raise UsageError(f"Say what the network takes: --input, once for each; {_HOW}.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"There are two inputs called {twice[0]!r}; names have to differ.")
    return specs


def lengths(text: str | None) -> tuple[int, ...]:
    """Read lengths that are tried, "24,50,133"; UsageError for fewer than two, or what is no length."""
    if text is None:
        return LENGTHS
    found = tuple(_number(each.strip()) for each in text.split(","))
    if len(set(found)) < 2 or not all(found):
        raise UsageError(f"{text!r} is not two lengths or more that differ, such as 24,50,133.")
    return found


def cases(specs: Sequence[Spec], tried: Sequence[int], seed: int = 0) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield random inputs, one for each length; two letters are never of one length."""
    dice = np.random.default_rng(seed)
    first = {spec.open[0] for spec in specs if 0 in spec.open}
    later = {name for spec in specs for at, name in spec.open.items() if at}
    for at, length in enumerate(tried):
        sizes = {name: length + number for number, name in enumerate(sorted(later))}
        sizes |= {name: _TOGETHER[at % len(_TOGETHER)] for name in first - later}
        yield {spec.name: drawn(spec, sizes, dice) for spec in specs}


def drawn(spec: Spec, sizes: Mapping[str, int], dice: np.random.Generator) -> NDArray[Any]:
    """Draw an input with axes of these lengths: numbers around 0, or whole ones below the limit."""
    shape = [size if isinstance(size, int) else sizes[size] for size in spec.sizes]
    if spec.dtype.startswith("float"):
        return np.asarray(dice.standard_normal(shape)).astype(spec.dtype)
    return np.asarray(dice.integers(0, spec.below, shape)).astype(spec.dtype)


def _size(text: str, whole: str) -> int | str:
    if (number := _number(text)) or _NAME.fullmatch(text):
        return number or text
    raise UsageError(f"{text!r} in {whole!r} is neither a size nor a letter for an axis of any length: {_HOW}.")


def _number(text: str) -> int:
    """Return a whole number from 1 on, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() else 0
