"""From recognised words to written text: segments and live events with marks and capitals.

Recorded speech is held back by one utterance, since what follows says most about how one ends. Knows no model and no
budget: a stream labels words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lowvox.errors import BudgetError
from lowvox.text import spoken
from lowvox.text.live import CONTEXT, LivePunctuator
from lowvox.text.marks import write
from lowvox.text.restoration import MARGIN, joined, labels
from lowvox.types import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from lowvox.types import Event, PunctuatorStream, Segment, Word

_WINDOW = 126  # words
_END_S = 1.0  # silence that is assumed where somebody stopped


class Borrowed:
    """A punctuator that is borrowed for each use, so that it can be unloaded between two of them.

    It adds nothing while it is not `wanted`, nor once the budget has no room for it, which `note` is told.
    """

    def __init__(
        self,
        lend: Callable[[], AbstractContextManager[Sequence[PunctuatorStream]]],
        wanted: Callable[[], bool],
        note: Callable[[str], None],
    ) -> None:
        self._lend = lend
        self._wanted = wanted
        self._note = note
        self._room = True

    @property
    def window(self) -> int:
        """See `types.PunctuatorStream`; that of the smallest punctuator there is."""
        return _WINDOW

    def label(
        self, texts: Sequence[Sequence[str]], pauses: Sequence[Sequence[float]] | None = None, **where: bool
    ) -> list[list[Label]]:
        """See `types.PunctuatorStream`."""
        if self._room and self._wanted():
            try:
                with self._lend() as (stream,):
                    return stream.label(texts, pauses, **where)
            except BudgetError as error:
                self._room = False
                self._note(f"Punctuation and capitals end here: {error}")
        return [[Label()] * len(words) for words in texts]

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is held."""


def segments(found: Iterable[Segment], stream: PunctuatorStream, language: str) -> Iterator[Segment]:
    """Write the segments of a recording."""
    said: list[Word] = []
    before: Label | None = None
    held: Segment | None = None
    for segment in found:
        if held is not None:
            written, before = _written(said, held, segment.words[:MARGIN], before, stream, language)
            yield written
            said = [*said, *held.words][-CONTEXT:]
        held = segment
    if held is not None:
        yield _written(said, held, (), before, stream, language)[0]


def events(found: Iterable[Event], stream: PunctuatorStream, language: str) -> Iterator[Event]:
    """Write live events: partials may change at their end, finals stay."""
    live = LivePunctuator(stream, language)
    for event in found:
        if event.kind == "partial":
            yield replace(event, text=live.partial(event.text))
        elif event.segment is None or not event.segment.words:
            live.final(())
            yield event
        else:
            words = event.segment.words
            segment = _with(event.segment, live.final([word.word for word in words], pauses(words)))
            yield replace(event, text=segment.text, segment=segment)


def commanded(segment: Segment, language: str) -> Segment:
    """Carry out the commands spoken in a segment."""
    words = tuple(spoken.carried_out(segment.words, language))
    return replace(segment, words=words, text=spoken.text(word.word for word in words))


def commanded_live(event: Event, language: str) -> Event:
    """Carry out the commands spoken in an utterance; in a partial they are shown as they are said."""
    if event.segment is None:
        return event
    segment = commanded(event.segment, language)
    return replace(event, text=segment.text, segment=segment)


def pauses(words: Sequence[Word], then: float | None = None) -> list[float]:
    """Return the seconds of silence behind each word; `then` is when the next utterance begins."""
    starts = [*(word.start for word in words[1:]), words[-1].end + _END_S if then is None else then] if words else []
    return [max(0.0, start - word.end) for word, start in zip(words, starts, strict=True)]


def _written(
    said: Sequence[Word],
    segment: Segment,
    following: Sequence[Word],
    before: Label | None,
    stream: PunctuatorStream,
    language: str,
) -> tuple[Segment, Label | None]:
    """Write a segment between what was said before and after it; also return the label of its last word."""
    words = [*said, *segment.words, *following]
    seen = labels([word.word for word in words], stream, pauses(words), begins=len(said) < CONTEXT, ends=not following)[
        len(said) : len(said) + len(segment.words)
    ]
    found = list(joined(spoken.told((word.word for word in segment.words), seen), before))
    texts = [write(word.word, label, language) for word, label in zip(segment.words, found, strict=True)]
    return _with(segment, texts), found[-1] if found else before


def _with(segment: Segment, texts: Sequence[str]) -> Segment:
    """Return a segment whose words are written so."""
    words = tuple(replace(word, word=text) for word, text in zip(segment.words, texts, strict=True))
    return replace(segment, words=words, text=spoken.text(texts))
