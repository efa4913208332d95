"""`synthesis`: sentences and the silence between them, as a voice with the shape of an engine's is asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.synthesis import spoken
from lowvox.text.pauses import behind
from lowvox.text.ssml import Passage

if TYPE_CHECKING:
    from collections.abc import Iterator


class Mouth:
    """Gives one sample for each character."""

    rate = 1000

    def speak(self, text: str) -> Iterator[bytes]:
        yield b"\1\0" * len(text)

    def reset(self) -> None: ...

    def close(self) -> None: ...


def lengths(text: str, *, silence: float = 0.0, cap: float | None = None, pauses: bool = False) -> list[float]:
    passage = Passage(iter([text]), silence=silence)
    return [audio.seconds for audio in spoken(passage, Mouth(), "en", cap, pauses=pauses)]


def test_silence_comes_before_a_passage_also_an_empty_one() -> None:
    assert lengths("Hello.", silence=0.5) == [0.5, 0.006]
    assert lengths("", silence=0.5) == [0.5]


def test_pauses_are_between_sentences_for_voices_that_make_none() -> None:
    assert lengths("Is it? Yes.") == [0.006, 0.004]
    assert lengths("Is it? Yes.", pauses=True) == [0.006, behind("Is it?"), 0.004]


def test_no_sentence_is_longer_than_the_cap() -> None:
    assert max(lengths("word " * 50, cap=40)) <= 0.040
