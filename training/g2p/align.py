"""Which phones each letter of a word stands for: none, one or two, found by expectation and maximisation.

    first, second = aligned(letters, phones)     # int lists a word, 0 for none, else 1 + the phone's number

numpy alone; words are done many at a time. More than two phones a letter cannot be aligned. Knows no network.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_LETTERS, _PHONES = 27, 39
_ROUNDS, _SAMPLE = 8, 20000
Model = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def aligned(letters: Sequence[Sequence[int]], phones: Sequence[Sequence[int]]) -> list[tuple[list[int], list[int]]]:
    """Return the likeliest alignment of each word."""
    model = _learnt(letters, phones)
    found: list[tuple[list[int], list[int]]] = [([], [])] * len(letters)
    for rows, spelt, said in _groups(letters, phones):
        for row, counts, sounds in zip(rows, _best(model, spelt, said), said, strict=True):
            ends = np.cumsum(counts)
            first = [int(sounds[end - count]) + 1 if count else 0 for count, end in zip(counts, ends, strict=True)]
            second = [int(sounds[end - 1]) + 1 if count == 2 else 0 for count, end in zip(counts, ends, strict=True)]
            found[row] = first, second
    return found


def _learnt(letters: Sequence[Sequence[int]], phones: Sequence[Sequence[int]]) -> Model:
    """Return what each letter stands for, how likely: none [l], one [l, p], two [l, p, p]."""
    step = max(1, len(letters) // _SAMPLE)
    some = list(_groups(letters[::step], phones[::step]))
    # One phone a letter is the rule, so that the beginning favours it.
    counts = (np.full(_LETTERS, 0.2), np.full((_LETTERS, _PHONES), 0.7 / _PHONES))
    model: Model = (*counts, np.full((_LETTERS, _PHONES, _PHONES), 0.1 / _PHONES**2))
    for _ in range(_ROUNDS):
        seen = tuple(np.full_like(part, 1e-6) for part in model)
        for _, spelt, said in some:
            _count(model, spelt, said, seen)
        whole = seen[0] + seen[1].sum(1) + seen[2].sum((1, 2))
        model = seen[0] / whole, seen[1] / whole[:, None], seen[2] / whole[:, None, None]
    return model


def _groups(letters: Sequence[Sequence[int]], phones: Sequence[Sequence[int]]) -> Iterator[tuple]:
    """Yield words of the same lengths together: their rows, letters [b, n], phones [b, m]."""
    same: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, (spelt, said) in enumerate(zip(letters, phones, strict=True)):
        same[len(spelt), len(said)].append(row)
    for rows in same.values():
        yield rows, np.array([letters[row] for row in rows]), np.array([phones[row] for row in rows])


def _emitted(model: Model, spelt: NDArray, said: NDArray, at: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return how likely letter `at` stands for none [b, 1], for each phone [b, m], for each pair [b, m - 1]."""
    letter = spelt[:, at, None]
    none, one, two = model
    return none[letter], one[letter, said], two[letter, said[:, :-1], said[:, 1:]]


def _forward(model: Model, spelt: NDArray, said: NDArray) -> NDArray:
    """Return how likely the first letters stand for the first phones: [n + 1, b, m + 1]."""
    size, count = spelt.shape[1], said.shape[1]
    reached = np.zeros((size + 1, len(spelt), count + 1))
    reached[0, :, 0] = 1
    for at in range(size):
        none, one, two = _emitted(model, spelt, said, at)
        before = reached[at]
        reached[at + 1] = before * none
        reached[at + 1, :, 1:] += before[:, :-1] * one
        reached[at + 1, :, 2:] += before[:, :-2] * two
    return reached


def _count(model: Model, spelt: NDArray, said: NDArray, seen: tuple) -> None:
    """Add what each letter is expected to stand for."""
    reached = _forward(model, spelt, said)
    after = np.zeros(reached.shape[1:])
    after[:, -1] = 1
    total = np.maximum(reached[-1, :, -1:], 1e-300)
    for at in reversed(range(spelt.shape[1])):
        none, one, two = _emitted(model, spelt, said, at)
        letter = spelt[:, at, None]
        before = reached[at] / total
        np.add.at(seen[0], spelt[:, at], (before * none * after).sum(1))
        np.add.at(seen[1], (letter, said), before[:, :-1] * one * after[:, 1:])
        np.add.at(seen[2], (letter, said[:, :-1], said[:, 1:]), before[:, :-2] * two * after[:, 2:])
        fresh = none * after
        fresh[:, :-1] += one * after[:, 1:]
        fresh[:, :-2] += two * after[:, 2:]
        after = fresh


def _best(model: Model, spelt: NDArray, said: NDArray) -> NDArray:
    """Return how many phones each letter stands for in the likeliest alignment: [b, n]."""
    (words, size), count = spelt.shape, said.shape[1]
    best = np.full((words, count + 1), 0.0)
    best[:, 0] = 1
    chosen = np.zeros((size, words, count + 1), np.int8)
    for at in range(size):
        none, one, two = _emitted(model, spelt, said, at)
        ways = np.zeros((3, words, count + 1))
        ways[0] = best * none
        ways[1, :, 1:] = best[:, :-1] * one
        ways[2, :, 2:] = best[:, :-2] * two
        chosen[at], best = ways.argmax(0), ways.max(0)
    counts, place, rows = np.zeros((words, size), np.int64), np.full(words, count), np.arange(words)
    for at in reversed(range(size)):
        counts[:, at] = chosen[at, rows, place]
        place -= counts[:, at]
    return counts
