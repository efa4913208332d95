from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox import recognition
from lowvox.audio.clip import TEXT, clip
from lowvox.audio.utterances import FRAME_BYTES, Limits
from lowvox.engines.pocketsphinx import PocketSphinx, PocketSphinxStream
from lowvox.engines.silero import SileroVad
from lowvox.types import Event, Model, Profile, Word

SAID = TEXT.lower().replace(".", "").replace(",", "")
LIMITS = recognition.limits(0.5)
SPEECH, SILENCE = b"\x00\x10" * 512, bytes(FRAME_BYTES)


class Loud:
    """A VAD for frames that are either loud or silent."""

    def probability(self, pcm: bytes) -> float:
        return float(any(pcm))

    def reset(self) -> None: ...
    def close(self) -> None: ...


class Counter:
    """A recogniser that hears how many frames it was given and says so; one word for each utterance."""

    def __init__(self) -> None:
        self.heard = b""
        self.discarded = 0

    def accept(self, pcm: bytes) -> None:
        self.heard += pcm

    def partial(self) -> str:
        return f"{len(self.heard) // FRAME_BYTES}?"

    def finish(self) -> tuple[Word, ...]:
        heard, self.heard = self.heard, b""
        if not any(heard):
            return ()
        return (Word(0.0, len(heard) / 32000, str(len(heard) // FRAME_BYTES), 1.0),)

    def discard(self) -> None:
        self.discarded += 1
        self.heard = b""

    def reset(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture(scope="module")
def ears() -> Iterator[PocketSphinxStream]:
    stream = PocketSphinx().load(Model("pocketsphinx-en-us", "pocketsphinx", "recognizer", ("en",)), Profile()).open()
    yield stream
    stream.close()


def vad() -> Loud:
    return SileroVad().load(Model("silero-vad", "silero-vad", "vad", ()), Profile()).open()  # type: ignore[return-value]


def blocks(sound: bytes, size: int = 3200) -> list[bytes]:
    return [sound[at : at + size] for at in range(0, len(sound), size)]


@given(st.lists(st.binary(max_size=5000), max_size=8))
def test_frames_are_the_stream_in_equal_pieces(given_blocks: list[bytes]) -> None:
    found = list(recognition.frames(given_blocks))
    whole = b"".join(given_blocks)
    assert all(len(frame) == FRAME_BYTES for frame in found)
    assert b"".join(found)[: len(whole)] == whole
    assert len(found) == -(-len(whole) // FRAME_BYTES)


def test_recorded_speech(ears: PocketSphinxStream) -> None:
    ears.reset()
    sound = bytes(32000) + clip() + bytes(64000) + clip()
    first, second = recognition.segments(blocks(sound), vad(), ears, LIMITS)
    assert first.text == SAID
    assert first.start == pytest.approx(1.18, abs=0.1)
    assert second.start - first.start == pytest.approx(7.46 + 2, abs=0.1)
    assert [word.word for word in second.words] == second.text.split()
    assert second.words[0].start == second.start


def test_live_speech_ends_with_the_words_of_recorded_speech(ears: PocketSphinxStream) -> None:
    ears.reset()
    *partials, final = recognition.events(blocks(clip() + bytes(64000)), vad(), ears, LIMITS)
    assert len(partials) > 5
    assert {event.kind for event in partials} == {"partial"}
    assert (final.kind, final.text) == ("final", SAID)
    assert final.segment is not None
    assert final.segment.words[0].start == pytest.approx(0.18, abs=0.1)


def test_sound_that_stops_in_the_middle_keeps_its_last_words(ears: PocketSphinxStream) -> None:
    ears.reset()
    *_, last = recognition.events(blocks(clip()[:96000]), vad(), ears, LIMITS)
    assert last.kind == "final"
    assert SAID.startswith(last.text[:30])


def events(frames: list[bytes], limits: Limits = LIMITS) -> tuple[list[Event], Counter]:
    counter = Counter()
    return list(recognition.events(frames, Loud(), counter, limits, clock=lambda: 7.0)), counter


def test_each_final_is_given_its_utterance_once() -> None:
    found, counter = events([SILENCE] * 20 + [SPEECH] * 30 + [SILENCE] * 40 + [SPEECH] * 10)
    finals = [event for event in found if event.kind == "final"]
    # Nine frames on either side of the speech; the sound ends right after the second.
    assert [int(event.text) for event in finals] == [9 + 30 + 9, 9 + 10]
    assert counter.discarded == 0
    assert [event.start for event in finals] == sorted(event.start for event in finals)


def test_a_cut_utterance_is_heard_again_without_what_comes_after_it() -> None:
    murmur = b"\x01\x00" * 512
    found, counter = events([SPEECH] * 60 + [murmur] * 5 + [SPEECH] * 185, Limits(longest_s=3.2))
    finals = [int(event.text) for event in found if event.kind == "final"]
    assert finals[0] == 62
    assert sum(finals) == 250
    assert max(finals) <= 100
    assert counter.discarded >= 1


def test_a_final_without_words_takes_its_partial_back() -> None:
    class Deaf(Counter):
        def finish(self) -> tuple[Word, ...]:
            self.heard = b""
            return ()

    found = list(recognition.events([SPEECH] * 20 + [SILENCE] * 40, Loud(), Deaf(), LIMITS))
    assert found[0].kind == "partial"
    assert (found[-1].kind, found[-1].text) == ("final", "")
    assert list(recognition.segments([SPEECH] * 20, Loud(), Deaf(), LIMITS)) == []


def test_lag_is_counted_from_when_it_was_heard() -> None:
    times = iter([10.0, *(11.0 for _ in range(100))])
    first = next(recognition.events([SPEECH] * 50, Loud(), Counter(), LIMITS, clock=lambda: next(times)))
    assert first.lag_s == pytest.approx(1.0 - 5 * 0.032, abs=1e-6)


def test_lag_is_counted_from_the_first_sound_though_it_waited() -> None:
    def lag(since: float | None) -> float:
        counter = Counter()
        found = recognition.events([SPEECH] * 50, Loud(), counter, LIMITS, clock=lambda: 11.0, since=lambda: since)
        return next(found).lag_s

    # The sixth frame is the first with a partial: a frame's time after each is heard.
    assert lag(None) == 0
    assert lag(8.0) == pytest.approx(3.0 - 5 * 0.032, abs=1e-6)


def test_an_utterance_is_as_long_as_the_plan_allows() -> None:
    assert recognition.limits(0.5, 6.0).longest_s == 6.0
    assert recognition.limits(0.5).longest_s == Limits().longest_s


@pytest.mark.parametrize(("sensitivity", "enter"), [(0.5, 0.5), (0.0, 0.95), (1.0, 0.05), (0.7, 0.3)])
def test_sensitivity(sensitivity: float, enter: float) -> None:
    found = recognition.limits(sensitivity)
    assert found.enter == pytest.approx(enter)
    assert 0 < found.stay < found.enter
