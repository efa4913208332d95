"""The vosk-tts engine: every kind of its voices speaks, split or whole, and what is broken is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import onnx
from lowvox.engines import vits
from lowvox.engines.vosk_tts import engine
from lowvox.engines.vosk_tts.config import read
from lowvox.engines.vosk_tts.engine import VoskTts, VoskTtsResident, VoskTtsStream
from lowvox.engines.vosk_tts.layout import layout
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.models import store
from lowvox.onnx.session import Session
from lowvox.shrink.voices.split import split
from lowvox.types import Model, Profile
from replicas import vosk_tts

TEXT = "Привет, мир! «Замок» — зам+ок... и вьюга?"
STEP = 1 / 32767


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """Sorted dictionaries are gone with the test."""


def load(folder: Path, profile: Profile | None = None) -> VoskTtsResident:
    return VoskTts().load(Model(folder.name, "vosk-tts", "synthesizer", ("ru",), folder), profile or Profile())


def still(resident: VoskTtsResident, **options: Any) -> VoskTtsStream:
    """A stream that says the same each time."""
    return resident.open(**{"noise": 0, "noise_w": 0, **options})


def spoken(stream: VoskTtsStream, text: str = TEXT) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(stream.speak(text)), "<i2")


@pytest.fixture
def single(tmp_path: Path) -> VoskTtsResident:
    return load(vosk_tts.voice(tmp_path / "voice"))


# What is told to the graph.


@pytest.mark.parametrize("kind", vosk_tts.KINDS)
def test_each_kind_says_what_its_graph_says(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", kind)
    told: dict[str, NDArray[Any]] = {}
    whole = vits.Vits.run

    def seen(self: Any, feeds: dict[str, NDArray[Any]], *rest: Any) -> Any:
        told.update(feeds)
        return whole(self, feeds, *rest)

    monkeypatch.setattr(vits.Vits, "run", seen)
    stream = still(load(folder), speaker=3, rate=1.25)
    sound = spoken(stream)
    length = told["input"].shape[-1]
    assert told["input"].shape == ((1, 5, length) if vosk_tts.KINDS[kind].multi else (1, length))
    assert told["input_lengths"] == [length]
    assert told["scales"] == pytest.approx([0, 1 / 1.25, 0])
    assert told["sid"] == [3]
    assert told["bert"].shape == (1, 768, length)
    assert told["bert"].any() == vosk_tts.KINDS[kind].bert
    session = Session(folder / "model.onnx")
    expected = session.run({name: told[name] for name in session.inputs})[0].ravel()
    assert sound / 32767 == pytest.approx(np.clip(expected, -1, 1), abs=STEP)
    assert stream.rate == 22050


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_sound_of_any_number_of_axes(tmp_path: Path, rank: int) -> None:
    sound = spoken(still(load(vosk_tts.voice(tmp_path / "voice", rank=rank))))
    assert sound.size % vosk_tts.HOP == 0
    assert sound.std() > 100


def test_the_dictionary_goes_before_the_rules_and_a_stress_before_both(single: VoskTtsResident) -> None:
    found = {text: tuple(spoken(still(single), text)) for text in ("замок", "«Замок»", "замок*", "з+амок", "зам+ок")}
    # The dictionary stresses the first vowel; by the rules alone none is.
    assert found["замок"] == found["замок*"] == found["з+амок"] != found["зам+ок"]
    assert found["«Замок»"] == found["замок"]


def test_a_pause_makes_it_longer_and_only_where_the_voice_knows_it(tmp_path: Path) -> None:
    stream = still(load(vosk_tts.voice(tmp_path / "v3", "v3")))
    assert spoken(stream, "привет_ мир").size - spoken(stream, "привет мир").size > 10 * vosk_tts.HOP


def test_a_bert_that_the_graph_does_not_read_is_not_loaded(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", "no blank")
    with_blanks = vosk_tts.voice(tmp_path / "blanks", "bert")
    for one in (folder, with_blanks):
        (one / "model.onnx").write_bytes(vosk_tts.graph(vosk_tts.KINDS["single"]))
    resident = load(folder)
    assert resident._voice.bert is None
    assert len(resident._voice.feeds("мир")["input"][0]) == 5  # ^ mj i1 r $
    assert len(load(with_blanks)._voice.feeds("мир")["input"][0]) == 9


def test_a_voice_that_reads_meaning_speaks_without_its_bert(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", "v2")
    (folder / "bert" / "vocab.txt").unlink()
    assert spoken(still(load(folder))).size


# Settings.


def test_noise_and_seeds(single: VoskTtsResident) -> None:
    assert np.array_equal(spoken(still(single)), spoken(still(single)))
    first, second = (single.open(seed=7) for _ in range(2))
    assert np.array_equal(spoken(first), spoken(second))
    again = spoken(first)
    first.reset()
    assert not np.array_equal(spoken(first), again)
    assert not np.array_equal(spoken(single.open(seed=8)), spoken(single.open(seed=7)))


@pytest.mark.parametrize("kind", ["v1", "v3"])
def test_what_is_measured_is_the_most_that_a_run_is_given(
    tmp_path: Path, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = load(vosk_tts.voice(tmp_path / "voice", kind)).open(noise_w=0)
    given: list[int] = []
    once = Session.run

    def run(self: Session, feeds: Any, outputs: Any = None) -> Any:
        if "scales" in feeds:
            given.append(feeds["input"].shape[-1])
        return once(self, feeds, outputs)

    monkeypatch.setattr(Session, "run", run)
    list(stream.speak("ещё раз, " * 44))
    list(stream.speak("щ" * 400))
    assert max(given) <= vits.LONGEST
    assert sum(given) > 800
    given.clear()
    assert sum(map(len, stream.heaviest())) > 100_000
    assert given == [vits.LONGEST]


def test_rate_and_volume(single: VoskTtsResident) -> None:
    usual = spoken(still(single))
    assert spoken(still(single, rate=2.0)).size < 0.8 * usual.size
    half = spoken(still(single, volume=0.5))
    assert half == pytest.approx(usual / 2, abs=2)
    assert not spoken(still(single, volume=0)).any()


def test_the_voice_s_own_settings(tmp_path: Path) -> None:
    told = {"inference": {"noise_level": 0, "duration_noise_level": 0, "speech_rate": 2, "scale": 0.5}}
    own = spoken(load(vosk_tts.voice(tmp_path / "own", told=told)).open())
    usual = spoken(still(load(vosk_tts.voice(tmp_path / "usual")), rate=2.0, volume=0.5))
    assert np.array_equal(own, usual)


def test_speakers_by_name_and_number(tmp_path: Path) -> None:
    resident = load(vosk_tts.voice(tmp_path / "voice", told={"speaker_id_map": {"irina": 3, "7": 1}}))
    named, numbered = spoken(still(resident, voice="voice+irina")), spoken(still(resident, voice="+3"))
    assert np.array_equal(named, numbered)
    assert np.array_equal(spoken(still(resident, speaker=3)), named)
    assert np.array_equal(spoken(still(resident, voice="x+7")), spoken(still(resident, speaker=1)))
    assert np.array_equal(spoken(still(resident, voice="voice")), spoken(still(resident, speaker="0")))
    assert not np.array_equal(spoken(still(resident)), named)


@pytest.mark.parametrize(
    "options",
    [
        {"voice": "x+nobody"},
        {"voice": "x+5"},
        {"speaker": 5},
        {"speaker": -1},
        {"speaker": "²"},
        {"speaker": "9" * 30},
        {"rate": 0},
        {"rate": float("nan")},
        {"volume": -0.1},
        {"volume": 3},
        {"noise": -1},
        {"noise_w": float("inf")},
        {"pitch": 1.5},
    ],
)
def test_settings_that_cannot_be(single: VoskTtsResident, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        single.open(**options)


def test_an_unknown_speaker_hears_of_those_there_are(tmp_path: Path, single: VoskTtsResident) -> None:
    with pytest.raises(UsageError, match="no speaker 'nobody'; it has 0 to 4"):
        single.open(speaker="nobody")
    uncounted = vosk_tts.voice(tmp_path / "uncounted", told={"num_speakers": None, "speaker_id_map": {"irina": 3}})
    with pytest.raises(UsageError, match="it has irina"):
        load(uncounted).open(speaker=2**40)


# Texts.


@pytest.mark.parametrize("text", ["", " ", "...", "🙂🙂", "—", "\u200b"])
def test_nothing_to_say(single: VoskTtsResident, text: str) -> None:
    assert spoken(still(single), text).size == 0


@pytest.mark.parametrize("text", ["42", "٣", "№ 5"])
def test_numbers_are_words(single: VoskTtsResident, text: str) -> None:
    assert spoken(still(single), text).size > 0


@pytest.mark.parametrize("text", ["你好", "مرحبا"])
def test_a_script_that_the_voice_does_not_know(single: VoskTtsResident, text: str) -> None:
    with pytest.raises(EngineError, match="does not know the script"):
        spoken(still(single), text)


@pytest.fixture(scope="module", params=["single", "bert", "v3"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskTtsResident]:
    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWVOX_HOME", str(folder / "home"))
        yield load(vosk_tts.voice(folder / "voice", request.param))


@given(st.text("абв+ -.?!_«»🙂", max_size=20) | st.text(max_size=20))
def test_any_text_becomes_numbers_that_the_graph_knows(reader: VoskTtsResident, text: str) -> None:
    try:
        feeds = reader._voice.feeds(text)
    except EngineError as error:
        assert "script" in str(error)
        return
    if feeds:
        length = feeds["input"].shape[-1]
        assert 0 <= feeds["input"].min() <= feeds["input"].max() < 256
        assert feeds["bert"].shape == (1, 768, length)
        assert feeds["phone_duration_extra"].shape == (1, length)


def test_a_closed_stream_and_a_closed_voice(single: VoskTtsResident) -> None:
    stream, other = still(single), still(single)
    stream.close()
    stream.close()
    with pytest.raises(EngineError, match="closed"):
        spoken(stream)
    single.close()
    single.close()
    with pytest.raises(LowvoxError):
        spoken(other)


# Split.


@pytest.mark.parametrize(("kind", "vits2"), [("single", False), ("v3", True)])
def test_a_split_voice_says_the_same(tmp_path: Path, kind: str, vits2: bool) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", kind, vits2=vits2)
    expected = spoken(still(load(folder)))
    config, names = read(folder / "config.json"), Session(folder / "model.onnx").inputs

    def feeds(symbols: int) -> dict[str, NDArray[Any]]:
        found = engine.sample(config, [10 + at % 40 for at in range(symbols)], (0.5, 1, 0))
        return {name: found[name] for name in names}

    split(folder / "model.onnx", folder, feeds)
    (folder / "model.onnx").unlink()
    assert len(layout(folder).graphs) == (2 if vits2 else 3)
    for profile in (Profile(window=16), Profile("apart", window=16)):
        resident = load(folder, profile)
        blocks = list(still(resident).speak(TEXT))
        assert len(blocks) > 2
        assert np.frombuffer(b"".join(blocks), "<i2") / 32767 == pytest.approx(expected / 32767, abs=2 * STEP)
        resident.close()
    (folder / "model.decoder.onnx").unlink()
    with pytest.raises(DamagedError, match=r"model\.decoder\.onnx missing"):
        layout(folder)


# Folders.


@pytest.mark.parametrize("lacking", ["model.onnx", "dictionary", "config.json", "bert/model.onnx"])
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_folder_that_lacks_a_file(tmp_path: Path, lacking: str, how: str) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", "bert")
    (folder / lacking).unlink()
    if how == "empty":
        (folder / lacking).touch()
    with pytest.raises(DamagedError, match=f"{lacking} missing"):
        load(folder)


def test_the_store_knows_it_and_other_folders_are_none(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice")
    assert store.recognise(folder) == "vosk-tts"
    assert layout(folder).bert is False
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    (tmp_path / "other" / "model.onnx").write_bytes(b"x")
    for other in (tmp_path / "other", tmp_path / "none"):
        with pytest.raises(NotFoundError, match="no vosk-tts voice"):
            layout(other)
    with pytest.raises(NotFoundError, match="has no folder"):
        VoskTts().load(Model("x", "vosk-tts", "synthesizer", ("ru",)), Profile())


@pytest.mark.parametrize("file", ["model.onnx", "bert/model.onnx"])
@pytest.mark.parametrize("cut", [0.02, 0.5, 0.99])
def test_a_graph_that_was_cut(tmp_path: Path, file: str, cut: float) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", "bert")
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(DamagedError):
        load(folder)


@pytest.mark.parametrize("graph", ["single", "v1", "v3"])
def test_a_config_of_another_voice(tmp_path: Path, graph: str) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", "v2" if graph == "single" else "single")
    (folder / "model.onnx").write_bytes(vosk_tts.graph(vosk_tts.KINDS[graph]))
    with pytest.raises(DamagedError, match="not the graph of this voice"):
        load(folder)


@pytest.mark.parametrize("told", [{"phoneme_id_map": {"^": 1, "$": 2, "a0": 256}}, {"num_speakers": 6}])
def test_a_config_with_more_than_the_graph_knows(tmp_path: Path, told: dict[str, Any]) -> None:
    with pytest.raises(DamagedError, match="not the graph of this voice"):
        load(vosk_tts.voice(tmp_path / "voice", told=told))


def test_a_graph_with_other_inputs(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice")
    graph = onnx.load(folder / "model.onnx")
    graph.graph.input[2].name = "speed"
    for node in graph.graph.node:
        node.input[:] = ["speed" if name == "scales" else name for name in node.input]
    onnx.save(graph, folder / "model.onnx")
    with pytest.raises(DamagedError, match="not the graph of this voice"):
        load(folder)


def test_a_dictionary_that_is_none(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice", words="одно\nдва\n")
    with pytest.raises(DamagedError, match="not one word"):
        load(folder)


def test_a_config_that_is_damaged(tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "voice")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"audio": {"sample_rate": 1}}))
    with pytest.raises(DamagedError, match="sample_rate"):
        load(folder)
