"""The `silero-te` engine: the user's own copy of Silero's text enhancement, converted by `lowvox shrink export`.

English, German, Spanish and Russian. The network sees word pieces between a begin and an end; how many words those are,
and what is in them, is of no concern to it, so the limit of its input is kept here. Knows nothing of longer texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines.silero_te.layout import MODEL, TOKENS, layout
from lowvox.engines.silero_te.tokens import Tokenizer, Vocabulary
from lowvox.errors import EngineError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.text.marks import ENDS
from lowvox.types import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.silero_te.layout import Facts
    from lowvox.types import Case, Model, Profile

WINDOW = 150  # words: what Silero says that the network can take at once
# How many ids the network always sees in addition, masked, between the last piece and the end; it was trained so.
_GAP = 18
# Pieces of one word that are looked at, its first and its last ones: an address of a page must not fill the window.
_WIDEST_WORD = 64
_INVERTED = {"?": "¿", "!": "¡"}
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")


class SileroTe:
    """Marks and capitals for small words."""

    def load(self, model: Model, profile: Profile) -> SileroTeResident:
        """Load a converted model."""
        if model.path is None:
            raise NotFoundError(
                "Silero TE is not shipped: convert your own copy with `lowvox shrink export silero-te`."
            )
        facts = layout(model.path)
        tokenizer = Tokenizer(Vocabulary((model.path / TOKENS).read_bytes()), facts.tokens)
        return SileroTeResident(Session(model.path / MODEL, profile, permits=2), tokenizer, facts)


class SileroTeResident:
    """The loaded network and its vocabulary."""

    def __init__(self, session: Session, tokenizer: Tokenizer, facts: Facts) -> None:
        self._session, self._tokenizer, self._facts = session, tokenizer, facts

    def open(self, language: str = "", **options: object) -> SileroTeStream:  # noqa: ARG002
        """Open a stream for one language, English where none is given; UsageError for one that it does not know."""
        known = sorted(self._facts.languages)
        spoken = language.replace("_", "-").partition("-")[0].lower() or "en"
        if spoken not in self._facts.languages:
            raise UsageError(f"Silero TE knows {', '.join(known)}, and not {language!r}; choose another model.")
        return SileroTeStream(self._session, self._tokenizer, self._facts, spoken)

    def close(self) -> None:
        """Unload it."""
        self._session.close()


class SileroTeStream:
    """One language through the network; it remembers nothing from one text to the next."""

    window = WINDOW

    def __init__(self, session: Session, tokenizer: Tokenizer, facts: Facts, language: str) -> None:
        self._session: Session | None = session
        self._tokenizer, self._facts, self._language = tokenizer, facts, language

    def label(
        self,
        texts: Sequence[Sequence[str]],
        pauses: Sequence[Sequence[float]] | None = None,  # noqa: ARG002  # it was trained on text alone
        *,
        begins: bool = True,
        ends: bool = True,  # noqa: ARG002  # the network knows no input without an end
    ) -> list[list[Label]]:
        """See `types.PunctuatorStream`."""
        session = self._session
        if session is None:
            raise EngineError("This stream of silero-te is closed; open another.")
        found = []
        for words in texts:
            pieces = [self._pieces(word) for word in words]
            parts = list(parts_of([len(one) for one in pieces], self._facts.most - 2))
            labels = [self._labels(session, pieces[first:last]) for first, last in parts]
            whole = agreed(stitched(parts, labels))
            found.append(opened(whole, begins=begins) if self._language == "es" else whole)
        return found

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let go of the network."""
        self._session = None

    def _pieces(self, word: str) -> tuple[int, ...]:
        """Return the pieces of a word, not more than are looked at."""
        found = self._tokenizer.pieces(small(word))
        half = min(_WIDEST_WORD, self._facts.most - 2) // 2
        return found if len(found) <= 2 * half else found[:half] + found[-half:]

    def _labels(self, session: Session, pieces: Sequence[tuple[int, ...]]) -> list[Label]:
        """Run the network over some words and read their labels: the mark of the last piece, the case of the first."""
        facts, rules = self._facts, self._facts.tokens
        ids = [rules.begin, *(piece for word in pieces for piece in word), rules.end]
        x, mask = framed(ids, facts.most)
        language = np.array([[[facts.languages[self._language]]]], np.int64)
        marks, cases = session.run({"x": x, "att_mask": mask, "lan": language}, ["punct", "capital"])
        lasts = np.cumsum([len(word) for word in pieces])
        firsts = lasts - [len(word) for word in pieces] + 1
        return list(_read(marks[0, lasts], cases[0, firsts].argmax(-1), facts))


def small(word: str) -> str:
    """Return a word as the network was taught to read: small, with no marks around it."""
    lower = word.lower()
    return _EDGES.sub("", lower) or lower


def framed(ids: Sequence[int], most: int, gap: int = _GAP) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the network takes, ids and mask, each int64 [1, T]: the last id at the end, masked zeros before it.

    T is at least `gap`, and at most `most` where there are not more ids than that.
    """
    size = gap if len(ids) < gap else max(len(ids), min(len(ids) + gap, most))
    x, mask = np.zeros((1, size), np.int64), np.zeros((1, size), np.int64)
    x[0, : len(ids) - 1], x[0, -1] = ids[:-1], ids[-1]
    mask[0, : len(ids) - 1], mask[0, -1] = 1, 1
    return x, mask


def parts_of(sizes: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield from which word to which one to look at together, so that no part has more than `most` pieces.

    Up to a quarter of a part are words of the one before it, for the sake of the words at its edge.
    """
    last = 0
    while last < len(sizes):
        begin = first = last
        pieces = sizes[begin]
        while first > 0 and pieces + sizes[first - 1] <= min(most, sizes[begin] + most // 4):
            first -= 1
            pieces += sizes[first]
        last += 1
        while last < len(sizes) and pieces + sizes[last] <= most:
            pieces += sizes[last]
            last += 1
        yield first, last


def stitched(parts: Sequence[tuple[int, int]], labels: Sequence[Sequence[Label]]) -> list[Label]:
    """Put the labels of parts together; where two overlap, each has the half that is farther from its edge."""
    whole: list[Label] = []
    for (first, _), (_, before), found in zip(parts, [(0, 0), *parts], labels, strict=False):
        seam = first + (before - first + 1) // 2
        whole = whole[:seam] + list(found[seam - first :])
    return whole


def agreed(labels: Sequence[Label]) -> list[Label]:
    """Make capitals agree with marks: a word behind the end of a sentence has one, as in Silero's own code."""
    found: list[Label] = []
    for label in labels:
        begins = bool(found) and found[-1].mark in ENDS and label.case == "lower"
        found.append(Label(label.mark, "capital", label.opens, label.sure) if begins else label)
    return found


def opened(labels: Sequence[Label], *, begins: bool) -> list[Label]:
    """Give Spanish questions and exclamations their inverted marks, where their sentences begin.

    A sentence that began before the first word (`begins` is False) has its mark there already, or gets none.
    """
    found = list(labels)
    begin = 0 if begins else None
    for at, label in enumerate(labels):
        if begin is not None and label.mark in _INVERTED:
            first = found[begin]
            found[begin] = Label(first.mark, first.case, _INVERTED[label.mark], first.sure)
        if label.mark in ENDS:
            begin = at + 1
    return found


def _read(marks: NDArray[np.float32], cases: NDArray[np.int64], facts: Facts) -> Iterator[Label]:
    """Yield labels from the logits of marks [n, P] and classes of case [n]; an unknown class counts as the first.

    Classes that are written in the same way, as no mark and a hyphen are, are as sure as all of them together.
    """
    meaning = [*facts.marks, *[""] * marks.shape[1]][: marks.shape[1]]
    odds = np.exp(marks - marks.max(-1, keepdims=True))
    odds /= odds.sum(-1, keepdims=True)
    for likely, chosen, case in zip(odds, marks.argmax(-1), cases, strict=True):
        mark = meaning[chosen]
        sure = sum(float(likely[at]) for at, other in enumerate(meaning) if other == mark)
        written: Case = facts.cases[case] if case < len(facts.cases) else "lower"
        yield Label(mark, written, "", min(1.0, sure))
