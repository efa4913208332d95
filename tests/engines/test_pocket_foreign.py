"""Exports of Pocket TTS by others at work: on small stand-ins, against a plain loop over the same graphs."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import onnx
from lowvox.engines.pocket import layout as pocket_layout
from lowvox.engines.pocket.engine import Pocket, PocketResident
from lowvox.engines.pocket.layout import layout
from lowvox.engines.pocket.sampler import Noise
from lowvox.errors import DamagedError, UsageError
from lowvox.models import install
from lowvox.onnx.session import Session
from lowvox.speech import Speech
from lowvox.types import Model, Profile
from replicas import pocket_foreign as replica
from replicas import pocket_tokens

# Voices are kept below the home of lowvox.
pytestmark = pytest.mark.usefixtures("home")
TEXT = "The fox, a fox, the fox."
KINDS = {name: getattr(replica, name) for name in ("KEVIN", "GROWING", "LOOKBE", "DELTA", "SHERPA")}
STATED: dict[str, Any] = {"seed": 1, "eos_threshold": 1000.0}
TYPES = {1: np.float32, 7: np.int64, 9: np.bool_, 10: np.float16}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export of each kind, of the same weights, and a recording."""
    base = tmp_path_factory.mktemp("foreign")
    for name, kind in KINDS.items():
        replica.build(base / name, kind)
    time = np.arange(4 * 24000) / 24000
    soundfile.write(base / "me.wav", 0.4 * np.sin(time * 900) * np.sin(time * 9), 24000)
    return base


def load(folder: Path) -> PocketResident:
    return Pocket().load(Model("test", "pocket", "synthesizer", ("en",), folder), Profile())


def sound(resident: PocketResident, reference: Path, text: str = TEXT, **options: Any) -> NDArray[np.int16]:
    with closing(resident.open(reference=reference, **(STATED | options))) as stream:
        return np.frombuffer(b"".join(stream.speak(text)), "<i2")


class Plain:
    """A graph as the runtimes of these exports run it: every state goes in, and every one that comes out takes over."""

    def __init__(self, file: Path, own: int, gives: int) -> None:
        self.session, self.own, self.gives = Session(file), own, gives
        graph = onnx.load(file).graph
        self.states: dict[str, NDArray[Any]] = {}
        for given in graph.input[own:]:
            told = given.type.tensor_type
            shape = [size.dim_value for size in told.shape.dim]
            self.states[given.name] = np.full(shape, told.elem_type == onnx.TensorProto.BOOL, TYPES[told.elem_type])
        self.names = [given.name for given in graph.input[:own]]

    def __call__(self, *given: NDArray[Any]) -> list[NDArray[Any]]:
        made = self.session.run({**dict(zip(self.names, given, strict=True)), **self.states})
        self.states = dict(zip(self.states, made[self.gives :], strict=True))
        return made[: self.gives]


def plain(folder: Path, kind: replica.Kind, heard: NDArray[np.float32], ids: list[int], frames: int) -> NDArray[Any]:
    """Speak as the first release's own runtime does: the voice, the text, then frame by frame."""
    at = {name: folder / kind.folder / f"{stem}.onnx" for name, stem in kind.names.items()}
    backbone, decoder = Plain(at["backbone"], 2, 2), Plain(at["decoder"], 1, 1)
    flow, text = Plain(at["flow"], 4, 1), Plain(at["text"], 1, 1)
    none, nothing = np.zeros((1, 0, replica.LATENT), np.float32), np.zeros((1, 0, replica.WIDTH), np.float32)
    backbone(none, heard[None])
    backbone(none, text(np.array([ids]))[0])
    latent, noise, found = np.full((1, 1, replica.LATENT), np.nan, np.float32), Noise(1, replica.LATENT, 0.7), []
    for _ in range(frames):
        condition, _ = backbone(latent, nothing)
        begun, zero, one = noise.next(), np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
        latent = (begun + flow(condition, zero, one, begun)[0])[None]
        found.append(decoder(latent)[0].reshape(-1))
    whole = np.concatenate(found)
    whole[:120] *= np.linspace(0, 1, 120, dtype=np.float32)
    return whole


@pytest.mark.parametrize("name", ["KEVIN", "GROWING", "LOOKBE", "SHERPA"])
def test_it_speaks_as_a_plain_loop_does(made: Path, name: str) -> None:
    resident = load(made / name)
    spoken = sound(resident, made / "me.wav")
    ids = resident._tokenizer.encode(TEXT)
    recording, _ = soundfile.read(made / "me.wav", dtype="float32")
    from lowvox.engines.pocket.prompt import ended

    whole = ended(recording, 24000)
    whole = np.pad(whole, (0, -len(whole) % replica.FRAME))
    kind = KINDS[name]
    heard = Plain(made / name / kind.folder / f"{kind.names['encoder']}.onnx", 1, 1)(whole[None, None])[0][0]
    frames = len(spoken) // replica.FRAME
    expected = np.clip(np.round(plain(made / name, kind, heard, ids, frames) * 32767), -32768, 32767)
    assert np.abs(spoken).max() > 1000
    assert np.abs(spoken - expected).max() <= 2


def test_all_kinds_say_the_same(made: Path) -> None:
    said = {name: sound(load(made / name), made / "me.wav").astype(int) for name in KINDS}
    assert (said["GROWING"] == said["KEVIN"]).all()
    assert (said["LOOKBE"] == said["DELTA"]).all()
    assert 0 < np.abs(said["LOOKBE"] - said["KEVIN"]).max() < 100  # keys and values in 16 bits
    assert (said["SHERPA"] == said["KEVIN"]).all()


@pytest.mark.parametrize("name", KINDS)
def test_each_text_begins_behind_the_voice(made: Path, name: str) -> None:
    stream = load(made / name).open(reference=made / "me.wav", **STATED)
    first = b"".join(stream.speak(TEXT))
    stream.reset()
    assert b"".join(stream.speak(TEXT)) == first
    broken = stream.speak("The ox.")
    next(broken)
    broken.close()  # type: ignore[attr-defined]
    stream.reset()
    assert b"".join(stream.speak(TEXT)) == first


def test_the_voice_is_heard(made: Path, tmp_path: Path) -> None:
    resident = load(made / "KEVIN")
    time = np.arange(24000) / 24000
    soundfile.write(tmp_path / "you.wav", 0.3 * np.cos(time * 2000), 24000)
    assert not (sound(resident, tmp_path / "you.wav") == sound(resident, made / "me.wav")).all()


@pytest.mark.parametrize("name", KINDS)
def test_a_voice_is_kept(made: Path, name: str) -> None:
    resident = load(made / name)
    spoken = sound(resident, made / "me.wav", save="me")
    kept = pocket_layout.folder(layout(made / name).facts) / "me.safetensors"
    assert (sound(resident, kept) == spoken).all()
    assert [*pocket_layout.known(layout(made / name))] == ["me"]
    with closing(resident.open(voice="test+me", **STATED)) as stream:
        assert b"".join(stream.speak(TEXT)) == spoken.tobytes()


def test_a_voice_of_another_model_is_refused(made: Path, tmp_path: Path) -> None:
    load(made / "KEVIN").open(reference=made / "me.wav", save="me").close()
    kept = pocket_layout.folder(layout(made / "KEVIN").facts) / "me.safetensors"
    other = load(replica.build(tmp_path / "other", seed=1))
    with pytest.raises(DamagedError, match=r"no voice of this model"):
        other.open(reference=kept)


def test_hearing_in_pieces_is_hearing_at_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = load(made / "KEVIN")._given(made / "me.wav").read()
    monkeypatch.setattr("lowvox.engines.pocket.foreign.graphs._PIECE_S", 1.0)
    monkeypatch.setattr("lowvox.engines.pocket.foreign.graphs._BEFORE_S", 0.1)
    monkeypatch.setattr("lowvox.engines.pocket.foreign.graphs.ForeignGraphs.piece", 3)
    assert np.allclose(load(made / "KEVIN")._given(made / "me.wav").read(), at_once, atol=1e-5)


def test_streams_share_a_model_and_nothing_else(made: Path) -> None:
    resident = load(made / "GROWING")
    expected = sound(resident, made / "me.wav").tobytes()
    streams = [resident.open(reference=made / "me.wav", **STATED).speak(TEXT) for _ in range(2)]
    mixed = [b"", b""]
    for first, second in zip(*streams, strict=True):
        mixed = [mixed[0] + first, mixed[1] + second]
    assert mixed == [expected, expected]


def test_the_heaviest_is_the_end_of_the_longest_chunk(made: Path) -> None:
    stream = load(made / "KEVIN").open(longest=True, **STATED)
    assert sum(map(len, stream.heaviest())) == 8 * 2 * replica.FRAME


def test_what_only_hears_is_not_asked_for(made: Path) -> None:
    graphs: Any = load(made / "KEVIN")._graphs
    decoder = graphs._graphs["decoder"]
    copied = [state.name for state in decoder.states if state.copied]
    assert copied == ["state_0", "state_2", "state_7"]
    assert not {f"out_{name}" for name in copied} & {*decoder._changed}


def test_a_bundle_says_what_is_heard_first_and_how_texts_are_written(tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "fr", replace(replica.KEVIN, folder=""))
    rate, waves = 24000, np.sin(np.arange(24000) / 20)
    soundfile.write(tmp_path / "me.wav", waves, rate)
    before = sound(load(folder), tmp_path / "me.wav")
    replica.bundle(folder, pad_with_spaces_for_short_inputs=True, max_token_per_chunk=50)
    resident = load(folder)
    cache = resident._given(tmp_path / "me.wav")
    assert cache.position == 1 + len(resident._graphs.listen(waves.astype(np.float32))) + 1  # and the pause at the end
    spoken = sound(resident, tmp_path / "me.wav")
    assert spoken.size == before.size
    assert not (spoken == before).all()
    replica.bundle(folder, pad_with_spaces_for_short_inputs=True, insert_bos_before_voice=False)
    assert (sound(load(folder), tmp_path / "me.wav") == before).all()
    np.save(folder / "bos_before_voice.npy", np.zeros(3, np.float32))
    replica.bundle(folder, insert_bos_before_voice=True, bos_before_voice_file=None)
    np.save(folder / "bos_before_voice.npy", np.zeros(3, np.float32))
    with pytest.raises(DamagedError, match=r"bos_before_voice\.npy is not that of this model"):
        load(folder)


def test_a_model_that_was_pulled_speaks(made: Path) -> None:
    installed = install.bring(made / "SHERPA", "small")
    assert (installed.engine, installed.problem) == ("pocket", None)
    with Speech(language="en") as speech:
        told: dict[str, Any] = {"voice": "small", "reference": str(made / "me.wav"), **STATED}
        assert len(b"".join(audio.pcm for audio in speech.say("The fox.", **told))) > 10 * 2 * replica.FRAME


def test_a_voice_that_leaves_no_room_is_refused(tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "short", replace(replica.KEVIN, capacity=500))
    soundfile.write(tmp_path / "me.wav", np.sin(np.arange(10 * 24000) / 20), 24000)
    with pytest.raises(UsageError, match=r"takes \d+ of the 500 positions .* make the voice from a shorter recording"):
        load(folder).open(reference=tmp_path / "me.wav")


def test_without_what_hears_there_are_voice_files(made: Path, tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "deaf", encoder=False)
    with pytest.raises(UsageError, match=r"without what hears recordings"):
        load(folder).open(reference=made / "me.wav")


def swapped(made: Path, tmp_path: Path, name: str, by: Path) -> Path:
    """Copy an export with one file of another."""
    folder = shutil.copytree(made / "KEVIN", tmp_path / "swapped")
    shutil.copy(by, folder / "onnx" / name)
    return folder


@pytest.mark.parametrize(
    ("name", "by", "told"),
    [
        ("flow_lm_flow.onnx", "KEVIN/onnx/mimi_decoder.onnx", r"flow_lm_flow\.onnx is not the flow graph"),
        ("flow_lm_flow.onnx", "KEVIN/onnx/text_conditioner.onnx", r"is not the flow graph"),
        ("mimi_decoder.onnx", "KEVIN/onnx/flow_lm_flow.onnx", r"is not the decoder graph of a Pocket TTS"),
        ("mimi_decoder.onnx", "KEVIN/onnx/flow_lm_main.onnx", r"do not belong together|is that of another voice"),
        ("text_conditioner.onnx", "KEVIN/onnx/flow_lm_flow.onnx", r"is not the text graph"),
        ("text_conditioner.onnx", "KEVIN/onnx/mimi_encoder.onnx", r"is not that of this model|do not belong together"),
        ("flow_lm_main.onnx", "KEVIN/onnx/mimi_decoder.onnx", r"flow_lm_main\.onnx is no backbone of Pocket TTS"),
        ("flow_lm_main.onnx", "KEVIN/onnx/flow_lm_flow.onnx", r"is no backbone of Pocket TTS"),
    ],
)
def test_a_graph_of_something_else_is_told(made: Path, tmp_path: Path, name: str, by: str, told: str) -> None:
    with pytest.raises(DamagedError, match=told) as error:
        load(swapped(made, tmp_path, name, made / by))
    assert "\n" not in str(error.value)


def test_a_backbone_that_does_not_count_is_told(tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "stuck", replace(replica.KEVIN, stuck=True))
    with pytest.raises(DamagedError, match=r"do not belong together: the backbone"):
        load(folder)


def test_a_tokenizer_of_another_model_is_told(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "KEVIN", tmp_path / "kevin")
    (folder / "tokenizer.model").write_bytes(
        pocket_tokens.model([*pocket_tokens.pieces(), *pocket_tokens.pieces()[9:]])
    )
    with pytest.raises(DamagedError, match=r"tokenizer is not that of this model"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("vocab.json", b"{", "tokenizer is damaged"),
        ("vocab.json", b'{"a": 1.5}', "tokenizer is damaged"),
        ("vocab.json", b'{"a": 7}', "are not of one tokenizer"),
        ("token_scores.json", b'{"a": 1}', "are not of one tokenizer"),
        ("token_scores.json", b"\xff", "tokenizer is damaged"),
    ],
)
def test_a_damaged_tokenizer_is_told(made: Path, tmp_path: Path, name: str, data: bytes, told: str) -> None:
    folder = shutil.copytree(made / "SHERPA", tmp_path / "sherpa")
    (folder / name).write_bytes(data)
    with pytest.raises(DamagedError, match=told):
        load(folder)


def test_scores_without_what_is_unknown_are_refused(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "SHERPA", tmp_path / "sherpa")
    for name in ("vocab.json", "token_scores.json"):
        (folder / name).write_text('{"a": 0}')
    with pytest.raises(DamagedError, match=r"has no piece <unk>"):
        load(folder)
