"""The `pocket` engine on small stand-ins that the exporter itself wrote: speaking, voices, and what is refused."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from lowvox import engines
from lowvox.casting import Casting
from lowvox.engines.pocket import layout as pocket_layout
from lowvox.engines.pocket import speaker as pocket_speaker
from lowvox.engines.pocket.engine import Pocket, PocketResident
from lowvox.engines.pocket.graphs import Graphs
from lowvox.engines.pocket.layout import layout
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.memory import workload
from lowvox.memory.manager import Manager
from lowvox.models import install, store
from lowvox.speech import Speech
from lowvox.types import Model, Profile
from replicas import pocket as replica
from replicas import pocket_tokens

# Voices are kept below the home of lowvox.
pytestmark = pytest.mark.usefixtures("home")
TEXT = "the fox"
RATE, FRAME = 24000, 1920
FLOWS = ("pointwise", "lsd", "flow_matching", "drifting")
NEVER = 1000.0  # an end that no logit reaches
STATED: dict[str, Any] = {"longest": True, "seed": 1, "eos_threshold": NEVER}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models by folder: one of each flow, the first also in 8 bits, and one of the large kind."""
    base = tmp_path_factory.mktemp("pocket")
    tokenizer = pocket_tokens.written(base / "one")
    for flow in FLOWS:
        replica.build(base / flow, tokenizer, flow)
    replica.build(base / "int8", tokenizer, int8=True)
    replica.build(base / "large", pocket_tokens.written(base / "two", kind="tokenizers"), "lsd", small=False)
    return base


def load(folder: Path) -> PocketResident:
    return Pocket().load(Model("test", "pocket", "synthesizer", ("en",), folder), Profile())


def sound(resident: PocketResident, text: str = TEXT, **options: Any) -> NDArray[np.int16]:
    with closing(resident.open(**(STATED | options))) as stream:
        return np.frombuffer(b"".join(stream.speak(text)), "<i2")


def recording(tmp_path: Path, seconds: float = 1.0, rate: int = 8000) -> Path:
    file = tmp_path / "me.wav"
    waves = np.sin(np.arange(int(seconds * rate)) / rate * 2 * np.pi * 150)
    soundfile.write(file, 0.4 * waves * np.sin(np.arange(len(waves)) / rate * 9), rate)
    return file


@pytest.mark.parametrize("name", [*FLOWS, "int8", "large"])
def test_it_speaks(made: Path, name: str) -> None:
    resident = load(made / name)
    spoken = sound(resident)
    tokens = len(resident._tokenizer.encode("The fox." if name != "large" else f"{' ' * 8}The fox."))
    assert spoken.size == FRAME * pocket_speaker.frames_for(tokens, layout(made / name).facts)
    assert np.abs(spoken).max() > 0
    assert (sound(resident) == spoken).all()
    assert not (sound(resident, seed=2) == spoken).all()
    resident.close()
    resident.close()


def test_sound_comes_frame_by_frame(made: Path) -> None:
    stream = load(made / "lsd").open(**STATED)
    assert stream.rate == RATE
    blocks = stream.speak(TEXT)
    assert len(next(blocks)) == 2 * FRAME
    assert len(next(blocks)) in (2 * FRAME, 4 * FRAME)
    blocks.close()  # type: ignore[attr-defined]
    stream.reset()
    assert np.frombuffer(b"".join(stream.speak(TEXT)), "<i2").tolist() == sound(load(made / "lsd")).tolist()


def test_the_first_click_is_faded(made: Path) -> None:
    spoken = sound(load(made / "pointwise"))
    assert spoken[0] == 0


def test_an_end_is_believed_after_some_frames(made: Path) -> None:
    resident = load(made / "pointwise")
    at_once = sound(resident, eos_threshold=-NEVER, frames_after_eos=0)
    assert at_once.size == 6 * FRAME
    assert sound(resident, eos_threshold=-NEVER, frames_after_eos=3).size == 9 * FRAME
    assert sound(resident, eos_threshold=-NEVER).size == 11 * FRAME  # a short text fades for longer


def test_a_text_is_spoken_chunk_by_chunk(made: Path) -> None:
    resident = load(made / "pointwise")
    ended: dict[str, Any] = {"eos_threshold": -NEVER, "frames_after_eos": 0}
    assert sound(resident, "the fox. " * 30, **ended).size > 6 * FRAME
    assert sound(resident, "x" * 10_000, **ended).size >= 6 * FRAME * (10_000 // 50)


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "— – ★ 💥"])
def test_nothing_is_said_of_symbols_alone(made: Path, text: str) -> None:
    assert sound(load(made / "pointwise"), text).size == 0


def test_a_script_that_the_voice_does_not_know_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(pocket_tokens.model(pocket_tokens.pieces(40, spells=False)))
    replica.build(tmp_path / "mute", tmp_path / "tokenizer.model", size=40)
    with pytest.raises(EngineError, match=r"does not know the script of '日本語'; choose one that speaks its language"):
        sound(load(tmp_path / "mute"), "日本語")


def test_steps_temperature_and_clamp_are_heard(made: Path) -> None:
    resident = load(made / "lsd")
    heard = [sound(resident, **told).tolist() for told in ({}, {"steps": 3}, {"temperature": 0}, {"noise_clamp": 0.1})]
    assert all(one != other for at, one in enumerate(heard) for other in heard[:at])
    assert sound(resident, temperature=0, seed=2).tolist() == heard[2]


def test_the_volume_is_heard(made: Path) -> None:
    resident = load(made / "lsd")
    quiet, loud = sound(resident, volume=0.001), sound(resident, volume=0.002)
    assert 4 < np.abs(loud).max() < 32767
    assert np.abs(quiet - loud / 2).max() <= 1


def test_a_recording_makes_a_voice_that_can_be_kept(made: Path, tmp_path: Path) -> None:
    resident = load(made / "pointwise")
    stated: dict[str, Any] = {"longest": False, "reference": str(recording(tmp_path))}
    spoken = sound(resident, **stated, save="me")
    assert not (spoken == sound(resident)).all()
    assert (spoken == sound(resident, longest=False)).all()  # the only one, so the first
    assert (spoken == sound(resident, longest=False, voice="test+me")).all()
    kept = pocket_layout.folder(layout(made / "pointwise").facts) / "me.safetensors"
    assert (spoken == sound(resident, longest=False, reference=kept)).all()
    with pytest.raises(NotFoundError, match=r"no voice 'you'; there are me"):
        resident.open(voice="test+you")


def test_a_voice_that_came_with_a_model_is_the_first(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "large", tmp_path / "large")
    resident = load(folder)
    with pytest.raises(UsageError, match=r"give reference"):
        resident.open()
    resident.open(reference=recording(tmp_path), save="eve").close()
    (folder / "voices").mkdir()
    shutil.copy(pocket_layout.folder(layout(folder).facts) / "eve.safetensors", folder / "voices" / "adam.safetensors")
    assert sound(load(folder), longest=False).tolist() == sound(load(folder), longest=False, voice="x+adam").tolist()


def test_hearing_in_pieces_is_hearing_at_once(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = recording(tmp_path, 3.0)
    at_once = load(made / "pointwise")._given(file).read()
    monkeypatch.setattr("lowvox.engines.pocket.graphs._AT_ONCE", 1)
    monkeypatch.setattr("lowvox.engines.pocket.graphs.Graphs.piece", 1)
    assert np.allclose(load(made / "pointwise")._given(file).read(), at_once, atol=1e-5)


def test_frames_decoded_together_sound_as_one_by_one(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = sound(load(made / "pointwise"))
    monkeypatch.setattr(pocket_speaker, "_TOGETHER", 1)
    assert np.abs(sound(load(made / "pointwise")).astype(int) - together).max() <= 1


def test_streams_share_a_model_and_nothing_else(made: Path, tmp_path: Path) -> None:
    resident = load(made / "pointwise")
    expected = [sound(resident).tolist(), sound(resident, longest=False, reference=recording(tmp_path)).tolist()]
    one = resident.open(**STATED).speak(TEXT)
    other = resident.open(reference=recording(tmp_path), seed=1, eos_threshold=NEVER).speak(TEXT)
    mixed = [b"", b""]
    for first, second in zip(one, other, strict=True):
        mixed = [mixed[0] + first, mixed[1] + second]
    assert [np.frombuffer(pcm, "<i2").tolist() for pcm in mixed] == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rate": 2.0}, "no speed and no pitch"),
        ({"pitch": 1.5}, "no speed and no pitch"),
        ({"volume": 3.0}, "volume must be from 0 to 2"),
        ({"temperature": -1}, "temperature must be"),
        ({"temperature": float("nan")}, "temperature must be"),
        ({"steps": 0}, "steps must be"),
        ({"noise_clamp": 0}, "noise_clamp must be"),
        ({"seed": -1}, "seed must be"),
        ({"frames_after_eos": -1}, "frames_after_eos must be"),
        ({"save": "me"}, "give reference"),
        ({"reference": "none.wav", "save": "a/b"}, "cannot be called 'a/b'"),
        ({"reference": "none.wav"}, "none.wav"),
        ({"reference": "none.safetensors"}, "no voice file none.safetensors"),
    ],
)
def test_what_cannot_be_is_refused(made: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises((UsageError, NotFoundError), match=told):
        load(made / "pointwise").open(**options)


def test_without_what_hears_there_are_voice_files(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "pointwise", tmp_path / "deaf")
    told = json.loads((folder / "lowvox.json").read_bytes())
    del told["graphs"]["encoder"]
    (folder / "lowvox.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"without what hears recordings"):
        load(folder).open(reference=recording(tmp_path))


def test_a_voice_of_another_model_is_refused(made: Path, tmp_path: Path) -> None:
    load(made / "large").open(reference=recording(tmp_path), save="large").close()
    kept = pocket_layout.folder(layout(made / "large").facts) / "large.safetensors"
    with pytest.raises(DamagedError, match=r"no voice of this model"):
        load(made / "pointwise").open(reference=kept)


def broken(folder: Path, tmp_path: Path, name: str, data: bytes, **facts: Any) -> Path:
    """Copy a model with another file in one place; its sidecar agrees on the size."""
    copied = shutil.copytree(folder, tmp_path / "broken")
    (copied / name).write_bytes(data)
    told = json.loads((copied / "lowvox.json").read_bytes()) | facts
    told["sizes"][name] = len(data)
    (copied / "lowvox.json").write_text(json.dumps(told))
    return copied


def test_weights_that_are_no_numbers_are_told(made: Path, tmp_path: Path) -> None:
    table = np.load(made / "pointwise" / "text.npy")
    table[1:] = np.nan
    file = tmp_path / "text.npy"
    np.save(file, table)
    resident = load(broken(made / "pointwise", tmp_path, "text.npy", file.read_bytes()))
    with pytest.raises(LowvoxError, match=r"gives no sound"):
        sound(resident)


@pytest.mark.parametrize(
    ("name", "other", "told"),
    [
        ("tokenizer.model", pocket_tokens.model(pocket_tokens.pieces(299)), "has 299 pieces and the voice 300"),
        ("tokenizer.model", b"no", "no SentencePiece model"),
        ("text.npy", b"no", "text.npy is damaged"),
        ("flow.ort", b"no", "flow.ort cannot be loaded"),
    ],
)
def test_a_part_of_something_else_is_told(made: Path, tmp_path: Path, name: str, other: bytes, told: str) -> None:
    with pytest.raises(DamagedError, match=told):
        load(broken(made / "pointwise", tmp_path, name, other))


@pytest.mark.parametrize("name", ["backbone.ort", "flow.ort", "text.npy"])
def test_parts_of_another_model_are_told(made: Path, tmp_path: Path, name: str) -> None:
    other = (made / "large" / name).read_bytes()
    with pytest.raises(DamagedError):
        load(broken(made / "pointwise", tmp_path, name, other))


def test_a_model_that_was_pulled_speaks(made: Path, tmp_path: Path) -> None:
    installed = install.bring(made / "pointwise", "tiny")
    assert (installed.engine, installed.problem) == ("pocket", None)
    told: dict[str, Any] = {"voice": "tiny", "seed": 1, "eos_threshold": NEVER}
    with Speech(language="en") as speech:
        first = b"".join(audio.pcm for audio in speech.say(TEXT, reference=str(recording(tmp_path)), save="me", **told))
        again = b"".join(audio.pcm for audio in speech.say(TEXT, **(told | {"voice": "tiny+me"})))
    assert len(first) > 10 * 2 * FRAME
    assert first == again
    assert store.read(installed.path).problem is None  # what was saved is beside the model, not in it


def test_the_heaviest_is_the_end_of_the_longest_chunk(made: Path) -> None:
    resident = load(made / "pointwise")
    stream = resident.open(**STATED)
    expected = list(stream.speak(TEXT))
    stream.reset()
    assert sum(map(len, stream.heaviest())) == 8 * 2 * FRAME
    stream.reset()
    assert list(stream.speak(TEXT)) == expected


def test_a_model_needs_a_folder_and_a_stream_ends(made: Path) -> None:
    with pytest.raises(NotFoundError, match=r"lowvox pull"):
        Pocket().load(Model("test", "pocket", "synthesizer", ("en",)), Profile())
    stream = load(made / "pointwise").open(**STATED)
    stream.close()
    stream.close()
    stream.reset()
    with pytest.raises(EngineError, match=r"closed"):
        next(stream.speak(TEXT))


def test_what_hears_a_recording_is_measured_with_it(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install.bring(made / "pointwise", "small")
    with closing(Manager(None)) as manager:
        casting = Casting(manager, "en", print)
        alone, hears = (casting.speaker("small", hears=hears).model for hears in (False, True))
        other = casting.speaker("lowvox-voice", hears=True).model
    assert (alone.variant, hears.variant, other.variant) == ("default", engines.LISTENING, "default")
    lengths, listen = [], Graphs.listen

    def counted(self: Graphs, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths.append(len(sound))
        return listen(self, sound)

    monkeypatch.setattr(Graphs, "listen", counted)
    resident = load(made / "pointwise")
    for model in (alone, hears):
        options: dict[str, Any] = workload.voices(model)[0].options
        resident.open(**options).close()
    assert lengths == [30 * RATE]
