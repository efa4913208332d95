"""`engines.lowvox_voice.engine`: the shipped voice, loaded, spoken and understood."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from lowvox.engines import create
from lowvox.engines.lowvox_voice import engine as lowvox_voice
from lowvox.engines.lowvox_voice import lexicon as lowvox_voice_lexicon
from lowvox.engines.lowvox_voice.engine import LONGEST, SHIPPED, LowvoxVoiceResident
from lowvox.engines.pocketsphinx import PocketSphinx
from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.types import Model, Profile

TEXT = "The birch canoe slid on the smooth planks, and nobody saw it."
SENTENCES = (
    "The boy was there when the sun rose.",
    "A large size in stockings is hard to sell.",
    "Help the woman get back to her feet.",
)


def load(path: Path | None = None, profile: Profile | None = None) -> LowvoxVoiceResident:
    model = Model("lowvox-voice", "lowvox-voice", "synthesizer", ("en",), path)
    return create("lowvox-voice").load(model, profile or Profile())  # type: ignore[return-value]


@pytest.fixture(scope="module")
def resident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LowvoxVoiceResident]:
    """The voice, its lexicon sorted once for all of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWVOX_HOME", str(tmp_path_factory.mktemp("home")))
        with closing(load()) as found:
            yield found


def sound(resident: LowvoxVoiceResident, text: str = TEXT, **options: Any) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(resident.open(**options).speak(text)), "<i2")


def pitch(spoken: NDArray[np.int16]) -> float:
    """How often the middle of a sound repeats in a second."""
    middle = spoken[spoken.size // 2 :][:2048].astype(float)
    alike = np.correlate(middle, middle, "full")[middle.size - 1 :]
    return 16000 / (50 + int(alike[50:250].argmax()))


def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """A list that will hold the name of each graph that is run, and how much of what it is given."""
    seen: list[tuple[str, int]] = []
    once = Session.run

    def run(self: Session, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> Any:
        name = next(iter(feeds))
        seen.append((name, feeds[name].shape[-1]))
        return once(self, feeds, outputs)

    monkeypatch.setattr(Session, "run", run)
    return seen


def test_it_speaks_and_the_same_each_time(resident: LowvoxVoiceResident) -> None:
    stream = resident.open(language="en")
    assert stream.rate == 16000
    spoken = sound(resident)
    assert 2 < spoken.size / 16000 < 6
    assert 500 < spoken.std() < 8000
    assert (sound(resident) == spoken).all()


def test_what_it_says_is_understood(resident: LowvoxVoiceResident) -> None:
    hears = PocketSphinx().load(Model("en", "pocketsphinx", "recognizer", ("en",)), Profile()).open()
    heard = []
    for sentence in SENTENCES:
        hears.accept(sound(resident, sentence).tobytes())
        heard.append(" ".join(word.word for word in hears.finish()))
    hears.close()
    said = [sentence.lower().strip(".") for sentence in SENTENCES]
    assert jiwer.wer(said, heard) < 0.25, heard


@pytest.mark.parametrize("window", [3, 17, 1000])
def test_windows_change_nothing(resident: LowvoxVoiceResident, window: int) -> None:
    with closing(load(SHIPPED, Profile(window=window))) as other:
        one, same = sound(resident).astype(float), sound(other).astype(float)
    assert np.linalg.norm(one - same) <= 0.003 * np.linalg.norm(one)


def test_the_first_sound_comes_after_the_first_window(
    resident: LowvoxVoiceResident, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = runs(monkeypatch)
    blocks = resident.open().speak(TEXT)
    first = next(blocks)
    assert [name for name, _ in seen] == ["ids", "context"]
    rest = list(blocks)
    assert len(first) < sum(map(len, rest)) / 5
    assert [name for name, _ in seen].count("context") == len(rest)  # the last block is what the filters still hold


def test_no_text_takes_more_than_what_is_measured(
    resident: LowvoxVoiceResident, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = runs(monkeypatch)
    stream = resident.open(rate=0.5)
    list(stream.speak(f"{'kwoxyz' * 40} {'word, and ' * 30}{'no mark here ' * 20}"))
    next(iter(stream.speak("kwoxyz" * 1667)))
    most = {name: max(size for other, size in seen if other == name) for name in ("ids", "context", "letters")}
    assert most["ids"] <= LONGEST
    assert most["letters"] <= 48
    assert sum(size for name, size in seen if name == "ids") > 500
    seen.clear()
    monkeypatch.setattr(lowvox_voice, "spoken_form", lambda text, language: text)
    list(stream.heaviest())
    assert [size for name, size in seen if name == "ids"] == [LONGEST]
    assert max(size for name, size in seen if name == "context") == most["context"]
    assert any(name == "letters" for name, _ in seen)


def test_rate_pitch_and_volume_are_heard(resident: LowvoxVoiceResident) -> None:
    usual = sound(resident)
    assert sound(resident, rate=2).size == pytest.approx(usual.size / 2, rel=0.1)
    assert sound(resident, rate=0.5).size == pytest.approx(usual.size * 2, rel=0.1)
    assert np.abs(sound(resident, volume=0.5) - usual / 2).max() <= 1
    assert not sound(resident, volume=0).any()
    long = "[[AA AA AA AA AA]]"
    assert pitch(sound(resident, long, pitch=1.5)) == pytest.approx(1.5 * pitch(sound(resident, long)), rel=0.1)


@pytest.mark.parametrize("wrong", [{"rate": 0.4}, {"rate": 4.1}, {"pitch": 0.4}, {"volume": 2.1}, {"voice": "+f3"}])
def test_options_out_of_range(resident: LowvoxVoiceResident, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"must be from|has one speaker"):
        resident.open(**wrong)


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "— “” —", "😀", "[[]]", "''"])
def test_nothing_comes_of_symbols(resident: LowvoxVoiceResident, text: str) -> None:
    assert not sound(resident, text).size


def test_another_script(resident: LowvoxVoiceResident) -> None:
    with pytest.raises(EngineError, match="does not know the script of 'Съешь ещё'"):
        sound(resident, "Съешь ещё")
    assert sound(resident, "Съешь Berlin ещё").size == sound(resident, "Berlin").size


def test_it_speaks_without_a_lexicon(resident: LowvoxVoiceResident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowvox_voice_lexicon, "find_spec", lambda _: None)
    with closing(load()) as other:
        assert sound(other).size == pytest.approx(sound(resident).size, rel=0.15)


def test_what_is_closed_says_so(resident: LowvoxVoiceResident) -> None:
    closed = resident.open()
    closed.reset()
    closed.close()
    closed.close()
    with pytest.raises(EngineError, match="closed; open another"):
        list(closed.speak("Word."))


def test_an_unloaded_voice_says_so(home: Path) -> None:
    other = load()
    stream = other.open()
    other.close()
    other.close()
    with pytest.raises(EngineError, match="closed; load it again"):
        list(stream.speak("Word."))


def test_files_that_are_no_voice(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no model file"):
        load(tmp_path / "none")
    folder = shutil.copytree(SHIPPED, tmp_path / "broken")
    (folder / "decoder.onnx").write_bytes(b"nothing")
    with pytest.raises(DamagedError, match="cannot be loaded"):
        load(folder)


def test_it_ships_in_few_bytes() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 6 * 2**20
