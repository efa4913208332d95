from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines import ENGINES
from lowvox.memory import workload
from lowvox.types import Model


class Ears:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.heard = b""
        self.calls: list[str] = []

    def accept(self, pcm: bytes) -> None:
        self.heard += pcm
        self.calls.append("accept")

    def partial(self) -> str:
        self.calls.append("partial")
        return ""

    def finish(self) -> tuple[()]:
        self.calls.append("finish")
        return ()

    def probability(self, pcm: bytes) -> float:
        self.heard += pcm
        assert len(pcm) == 1024
        return 0.0


class Mouth:
    """Gives a tenth of a second for each character."""

    rate = 1000

    def speak(self, text: str) -> Iterator[bytes]:
        self.text = text
        yield from [bytes(200)] * len(text)

    def heaviest(self) -> Iterator[bytes]:
        yield bytes(6000)


SOUND = bytes(range(256)) * 2000


@given(st.floats(0.1, 15))
def test_a_recogniser_hears_all_of_it_live_or_at_once(seconds: float) -> None:
    whole, live = Ears(), Ears()
    assert workload.work("recognizer", whole, seconds, SOUND, "") == seconds
    workload.work("recognizer", live, seconds, SOUND, "", live=True)
    assert whole.heard == live.heard == SOUND[: 2 * round(16000 * seconds)]
    assert whole.calls == ["accept", "finish"]
    assert live.calls == ["accept", "partial"] * (len(live.calls) // 2) + ["finish"]


def test_a_vad_hears_whole_frames() -> None:
    ears = Ears()
    assert workload.work("vad", ears, 0.0, SOUND, "") == 32 * 0.032
    assert len(ears.heard) == 32 * 1024


def test_a_voice_spells_as_many_characters_as_it_may() -> None:
    mouth = Mouth()
    assert workload.work("synthesizer", mouth, 100, b"", "一") == 10.0
    assert mouth.text == "一" * 100
    workload.work("synthesizer", mouth, 400, b"", "7 ")
    assert len(mouth.text) == 400


def test_a_voice_is_measured_in_its_hardest_languages() -> None:
    assert workload.voices(Model("m", "e", "synthesizer", ("en", "ja", "ru"))) == [
        ({"rate": 0.5, "language": "ru"}, "W "),
        ({"rate": 0.5, "language": "ja"}, "一"),
    ]
    assert workload.voices(Model("m", "e", "synthesizer", ("en",))) == [({"rate": 0.5}, "7 ")]
    assert workload.voices(Model("m", "e", "recognizer", ("ru",))) == [({}, "7 ")]


def test_a_voice_on_disk_reads_letters_of_its_own_script(tmp_path: Path) -> None:
    assert workload.voices(Model("m", "e", "synthesizer", ("ru",), tmp_path)) == [({"rate": 0.5}, "я ")]
    assert workload.voices(Model("m", "e", "synthesizer", ("de",), tmp_path)) == [({"rate": 0.5}, "w ")]


def test_the_longest_inputs_are_those_that_the_roles_promise() -> None:
    engines = ("pocketsphinx", "espeak", "silero-vad", "piper", "unknown")
    models = [Model("m", engine, ENGINES[engine].role if engine in ENGINES else "recognizer", ()) for engine in engines]
    assert [*map(workload.longest, models)] == [15.0, 400.0, 0.0, 0.0, 15.0]


def test_a_voice_whose_runs_are_bounded_does_its_heaviest() -> None:
    mouth = Mouth()
    assert workload.work("synthesizer", mouth, 0.0, b"", "w ") == 3.0
    assert not hasattr(mouth, "text")
