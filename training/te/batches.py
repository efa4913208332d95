"""Pieces of text as dictation makes them: cut anywhere, of any length, with errors, its language told or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from prepare import HELD, LAST, OPENS, UNSURE, UNUSED
from torch import Tensor

from lowvox.engines.te_words import BEGIN, END, LANGUAGE_ROW, LANGUAGES, NO_PAUSE, NO_ROW, WIDTH
from lowvox.text.marks import ENDS, MARKS

if TYPE_CHECKING:
    from pathlib import Path

IGNORED = -100
WHOLE = 0.5  # share of pieces that begin where a line does and end where one does
NOISY, REPLACED, LOST = 0.5, 0.04, 0.02  # share of pieces with errors; of their words misheard and not heard
UNTOLD = 0.15  # share of pieces whose language is not told
VEILED = 0.25  # share of words that are known by their ends alone
HIDDEN = 0.04  # share of words of which nothing is known
HEARD = 0.5  # share of pieces whose pauses are known
# How often a word is followed by no pause, a short one, a long one: words without a mark, with one inside a sentence,
# with one that ends it. From recorded speech (pauses.py), and a little more hesitation than readers have.
PAUSES = np.array([[0.89, 0.065, 0.045], [0.36, 0.40, 0.24], [0.06, 0.14, 0.80]])
_PAUSE_KIND = np.array([0 if not mark else 2 if mark in ENDS else 1 for mark in MARKS])


class Batch(NamedTuple):
    """Rows [b, t, 8] and what is to be said of each position; IGNORED where there is nothing to say."""

    rows: Tensor
    mark: Tensor
    case: Tensor
    opens: Tensor


class Text:
    """One language's words."""

    def __init__(self, path: Path) -> None:
        found = np.load(path)
        self.language = path.name.split(".")[0]
        self.rows = found["rows"][:, : WIDTH - 2]
        self.mark, self.case, self.flags = found["mark"], found["case"], found["flags"]
        self.spoken = LANGUAGE_ROW + LANGUAGES.index(self.language)
        use = self.flags & (HELD | UNUSED)
        self.ends = np.flatnonzero(self.flags & LAST) + 1
        starts = np.concatenate([[0], self.ends[:-1]])
        free = use == 0
        self.lines = starts[free[starts]]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
        self.stretches = edges.reshape(-1, 2)  # of words that are trained on
        self.held = [(int(a), int(b)) for a, b in zip(starts, self.ends, strict=True) if use[a] == HELD]

    def paragraphs(self, words: int = 80) -> list[tuple[int, int]]:
        """Join lines that are held out into paragraphs of about so many words."""
        found: list[tuple[int, int]] = []
        for begin, end in self.held:
            if found and found[-1][1] == begin and found[-1][1] - found[-1][0] < words:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        return found


def batch(text: Text, count: int, length: int, chance: np.random.Generator) -> Batch:
    """Draw `count` pieces of at most `length` positions, their begin and end among them."""
    rows = np.zeros((count, length, WIDTH), np.int32)
    labels = np.full((3, count, length), IGNORED, np.int64)
    for number in range(count):
        _piece(text, rows[number], labels[:, number], length, chance)
    return Batch(torch.from_numpy(rows), *(torch.from_numpy(one) for one in labels))


def whole(text: Text, begin: int, end: int) -> Batch:
    """Return a paragraph as it is."""
    at = np.arange(begin, end)
    rows = np.zeros((1, len(at) + 2, WIDTH), np.int32)
    labels = np.full((3, 1, len(at) + 2), IGNORED, np.int64)
    _fill(text, at, rows[0], labels[:, 0], begins=True, ends=True)
    return Batch(torch.from_numpy(rows), *(torch.from_numpy(one) for one in labels))


def _piece(text: Text, rows: np.ndarray, labels: np.ndarray, length: int, chance: np.random.Generator) -> None:
    room = length - 2
    if chance.random() < 0.3:
        room = int(chance.integers(2, room + 1))
    if begins := chance.random() < WHOLE:
        begin = int(text.lines[chance.integers(len(text.lines))])
    else:
        sizes = text.stretches[:, 1] - text.stretches[:, 0]
        stretch = text.stretches[chance.choice(len(sizes), p=sizes / sizes.sum())]
        begin = int(chance.integers(stretch[0], stretch[1]))
    limit = text.stretches[np.searchsorted(text.stretches[:, 1], begin, "right"), 1]
    end = min(begin + room, int(limit))
    ends = chance.random() < WHOLE
    if ends:
        before = np.searchsorted(text.ends, end, "right") - 1
        last = text.ends[before] if before >= 0 else begin
        ends = last > begin
        end = int(last) if ends else end
    at = np.arange(begin, end)
    noisy = chance.random() < NOISY
    if noisy:
        at = at[(chance.random(len(at)) >= LOST) | (text.mark[at] != 0)]
    _fill(text, at, rows, labels, begins=begins, ends=ends)
    words = rows[int(begins) : int(begins) + len(at)]
    if noisy and len(at):
        wrong = np.flatnonzero(chance.random(len(at)) < REPLACED)
        words[wrong, :-2] = text.rows[chance.integers(begin, limit, len(wrong))]
    words[chance.random(len(at)) < VEILED, :2] = NO_ROW
    words[chance.random(len(at)) < HIDDEN, :-2] = NO_ROW
    if chance.random() < HEARD:
        odds = PAUSES[_PAUSE_KIND[text.mark[at]]].cumsum(1)
        words[:, -1] = NO_PAUSE + (chance.random((len(at), 1)) > odds[:, :2]).sum(1)
    if chance.random() < UNTOLD:
        rows[rows[:, 0] != 0, -2] = LANGUAGE_ROW


def _fill(text: Text, at: np.ndarray, rows: np.ndarray, labels: np.ndarray, *, begins: bool, ends: bool) -> None:
    here = slice(int(begins), int(begins) + len(at))
    edge = [*[NO_ROW] * (WIDTH - 3), text.spoken, NO_ROW]
    if begins:
        rows[0] = [BEGIN, *edge]
    if ends:
        rows[here.stop] = [END, *edge]
    rows[here, :-2] = text.rows[at]
    rows[here, -2:] = text.spoken, NO_ROW
    flags = text.flags[at]
    labels[0, here] = text.mark[at]
    labels[1, here] = np.where(flags & UNSURE, IGNORED, text.case[at])
    labels[2, here] = (flags & OPENS) != 0
