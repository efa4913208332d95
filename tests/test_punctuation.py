"""`punctuation`: what was heard, as it is written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import BudgetError
from lowvox.punctuation import Borrowed, commanded, commanded_live, events, pauses, segments
from lowvox.types import Event, Label, Segment, Word
from replicas.labels import REACH, Neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lowvox.types import PunctuatorStream

utterances = st.lists(st.lists(st.text("abcxyz", min_size=1, max_size=6), min_size=REACH, max_size=30), max_size=6)


def spoken(said: Sequence[Sequence[str]], pause: float = 0.0) -> list[Segment]:
    """Utterances of words that last half a second each, with a pause between two utterances."""
    found, now = [], 0.0
    for words in said:
        placed = tuple(Word(now + at / 2, now + at / 2 + 0.5, word) for at, word in enumerate(words))
        found.append(Segment(placed[0].start, placed[-1].end, " ".join(words), placed))
        now = placed[-1].end + pause
    return found


@given(utterances)
def test_a_recording_is_written_as_if_it_were_one_text(said: list[list[str]]) -> None:
    found = list(segments(spoken(said), Neighbours(window=80), "en"))
    assert [[word.word.rstrip(".,?").lower() for word in segment.words] for segment in found] == said
    assert all(segment.text == " ".join(word.word for word in segment.words) for segment in found)
    whole = [word for words in said for word in words]
    (labels,) = Neighbours(window=10_000).label([whole]) if whole else ([],)
    marks = [word.word[-1] if word.word[-1] in ".,?" else "" for segment in found for word in segment.words]
    assert marks == [label.mark for label in labels]


def test_one_utterance_is_held_back_and_no_more() -> None:
    given_ = 0

    def heard() -> Iterator[Segment]:
        nonlocal given_
        for segment in spoken([["a"], ["b"], ["c"]]):
            given_ += 1
            yield segment

    found = segments(heard(), Neighbours(), "en")
    next(found)
    assert given_ == 2


def test_a_pause_is_told() -> None:
    found = segments(spoken([["so", "it", "is"], ["yes"]], pause=1.0), Neighbours(), "en")
    assert next(found).words[-1].word == "is."


def test_pauses_between_words_that_overlap_are_none() -> None:
    words = [Word(0.0, 1.0, "a"), Word(0.9, 1.5, "b"), Word(2.0, 2.5, "c")]
    assert pauses(words) == [0.0, 0.5, 1.0]
    assert pauses(words, then=2.6)[-1] == pytest.approx(0.1)
    assert pauses([]) == []


def live(said: Sequence[Sequence[str]]) -> Iterator[Event]:
    for segment in spoken(said):
        yield Event("partial", segment.words[0].word, segment.start, 0.1)
        yield Event("final", segment.text, segment.start, 0.1, segment)


def test_live_events() -> None:
    found = list(events(live([["well", "it", "is"], ["so"]]), Neighbours(), "en"))
    assert [event.kind for event in found] == ["partial", "final", "partial", "final"]
    assert found[1].text == "Well it is."  # somebody who stops has paused
    assert found[1].segment is not None
    assert [word.word for word in found[1].segment.words] == ["Well", "it", "is."]
    assert found[2].text == found[3].text.rstrip(".") == "So"


def test_a_final_without_words_passes() -> None:
    nothing = Event("final", "", 1.0, 0.1, Segment(1.0, 2.0, ""))
    assert list(events([nothing], Neighbours(), "en")) == [nothing]


def test_spoken_commands_are_carried_out_before_words_are_labelled() -> None:
    heard = [commanded(segment, "en") for segment in spoken([["hello", "comma", "new", "line", "done"]])]
    assert heard[0].text == "hello,\ndone"
    (written,) = segments(heard, Neighbours(), "en")
    assert written.text == "Hello,\nDone."


def test_spoken_commands_live() -> None:
    partial, final = (commanded_live(event, "en") for event in live([["hello", "period"]]))
    assert (partial.text, final.text) == ("hello", "hello.")
    assert [event.text for event in events([final], Neighbours(), "en")] == ["Hello."]


class Lender:
    """Counts how often it lends, and refuses when told to."""

    def __init__(self) -> None:
        self.lent = 0
        self.full = False

    @contextmanager
    def __call__(self) -> Iterator[Sequence[PunctuatorStream]]:
        if self.full:
            raise BudgetError("There is no room.", needed=2, budget=1)
        self.lent += 1
        yield (Neighbours(),)


def test_a_punctuator_is_borrowed_for_each_use_while_it_is_wanted() -> None:
    lender, on = Lender(), [True]
    borrowed = Borrowed(lender, lambda: on[0], pytest.fail)
    assert borrowed.label([["so", "it"]])[0][-1].mark == "."
    on[0] = False
    assert borrowed.label([["so", "it"]], begins=False) == [[Label(), Label()]]
    on[0] = True
    borrowed.label([["so"]])
    borrowed.reset()
    borrowed.close()
    assert lender.lent == 2


def test_without_room_the_text_goes_on_without_marks_and_says_so_once() -> None:
    lender, notes = Lender(), list[str]()
    borrowed = Borrowed(lender, lambda: True, notes.append)
    lender.full = True
    assert [segment.text for segment in segments(spoken([["so", "it"], ["is"]]), borrowed, "en")] == ["so it", "is"]
    assert notes == ["Punctuation and capitals end here: There is no room."]
    lender.full = False
    borrowed.label([["so"]])
    assert not lender.lent
