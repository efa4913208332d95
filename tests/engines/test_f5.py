"""The f5 engine on stand-ins whose speech can be read: each frame of sound is the number of a character."""

from __future__ import annotations

import io
import shutil
import tarfile
import wave
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

import onnx
from lowvox import folders
from lowvox.engines.f5.engine import F5, F5Resident
from lowvox.engines.f5.graphs import Graphs
from lowvox.engines.f5.layout import FACTS, layout
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.types import Model, Profile
from replicas import f5
from replicas.archives import tar_of, tarred

SENTENCE = "con mai và con cha đi ra sân"
WORDS = ("mai", "ra", "sân", "và", "cha", "hai", "ba", "hoa")
LONG = "mai ra sân, ba đi theo. " * 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice as exported, with recordings of its own."""
    return f5.add_samples(f5.build(tmp_path_factory.mktemp("f5") / "voice"))


@pytest.fixture(scope="module")
def stopped(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a sidecar that stops it half-way: the noise that it begins with is heard."""
    path = tmp_path_factory.mktemp("f5") / "stopped"
    shutil.copytree(folder, path)
    (path / FACTS).write_text('{"engine": "f5", "steps": 16}', "utf-8")
    return path


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A voice that a test may break."""
    return Path(shutil.copytree(folder, tmp_path / "voice"))


def load(path: Path | None, profile: str = "default") -> F5Resident:
    return F5().load(Model("replica", "f5", "synthesizer", ("vi",), path), Profile(profile))


def speak(path: Path, text: str = SENTENCE, profile: str = "default", **options: Any) -> NDArray[np.int16]:
    resident = load(path, profile)
    pcm = b"".join(resident.open(**options).speak(text))
    resident.close()
    return np.frombuffer(pcm, "<i2")


def read(sound: NDArray[np.int16]) -> str:
    """What was said, from the middle of each frame; a letter that is said twice in a row is one."""
    numbers = sound[128::256] / f5.SCALE
    assert numbers == pytest.approx(np.rint(numbers), abs=0.1)
    said = "".join(f5.SYMBOLS[round(number) - 1] for number in numbers)
    return "".join(one for at, one in enumerate(said) if said[at - 1 : at] != one)


# What it says.


@pytest.mark.parametrize("profile", ["default", "apart"])
def test_it_says_the_text_and_not_the_reference(folder: Path, profile: str) -> None:
    said = read(speak(folder, profile=profile))
    assert SENTENCE.endswith(said)
    assert len(SENTENCE) - len(said) <= 3  # the seam between the two texts falls where the pace says


def test_it_speaks_at_the_pace_of_the_reference(folder: Path, tmp_path: Path) -> None:
    """Two seconds for the words that the other says in one."""
    slow, said = f5.recording(tmp_path / "slow.wav", 2.0), f5.SAMPLES[0]["text"]
    ratio = len(speak(folder, reference=slow, reference_text=said)) / len(speak(folder))
    assert ratio == pytest.approx(2, rel=0.01)
    assert len(speak(folder, rate=0.5)) / len(speak(folder)) == pytest.approx(2, rel=0.01)


def test_the_last_update_takes_the_last_noise_and_an_earlier_one_leaves_it(folder: Path, stopped: Path) -> None:
    """At step 15 of 31 only 27 % of the way is behind it."""
    clean, noisy = speak(folder), speak(stopped)
    assert clean.shape == noisy.shape
    left = np.std(noisy[128::256] - 0.275 * clean[128::256]) / f5.SCALE
    assert left == pytest.approx(1 - 0.275, rel=0.15)


def test_as_many_steps_as_were_exported(tmp_path: Path) -> None:
    newer = f5.build(tmp_path / "newer", f5.Shape(updates=32), {"steps": 32, "updates": 32})
    fused = f5.build(tmp_path / "fused", f5.Shape(updates=15, fused=5), {"steps": 16, "fused": 5})
    for path in (newer, fused):
        assert SENTENCE.endswith(read(speak(f5.add_samples(path))))
        (path / FACTS).write_text('{"engine": "f5", "steps": 64}', "utf-8")
        with pytest.raises(EngineError, match="failed at work"):
            speak(path)


@pytest.mark.parametrize(("steps", "told"), [(16, "32 steps and nfe_step is 16"), (0, "is 0"), (33, "is 33")])
def test_another_number_of_steps_is_refused_with_the_reason(folder: Path, steps: int, told: str) -> None:
    resident = load(folder)
    with pytest.raises(UsageError, match=f"{told}.*leave nfe_step out, or export"):
        resident.open(nfe_step=steps)
    assert resident.open(nfe_step=32).rate == 24000


@pytest.mark.parametrize("profile", ["default", "apart"])
def test_the_same_seed_is_the_same_sound_whatever_was_said_before(stopped: Path, profile: str) -> None:
    resident = load(stopped, profile)
    first, second = resident.open(), resident.open(seed=1)
    sound = b"".join(first.speak(SENTENCE))
    other = b"".join(second.speak(SENTENCE))
    assert other != sound
    b"".join(first.speak("mai"))
    assert b"".join(first.speak(SENTENCE)) == sound
    assert b"".join(load(stopped).open(seed=1).speak(SENTENCE)) == other


def test_the_seed_gives_the_noise_that_onnxruntime_gives_for_it(stopped: Path) -> None:
    """As `set_seed` before the graph is loaded, which is what both published runtimes do."""
    from lowvox.onnx import runtime

    ids, audio = list(range(60)), f5.spoken(1.0)
    found = layout(stopped)
    graphs = Graphs((stopped / f5.NAMES[0], stopped / f5.NAMES[1], stopped / f5.NAMES[2]), Profile(), found.facts.runs)
    (made,) = (graphs.run(audio, ids, 300, 9527) for _ in range(1))
    runtime().set_seed(9527)
    a, b, c = (runtime().InferenceSession(stopped / name) for name in f5.NAMES)
    noise, *fixed, length = a.run(
        None, {"audio": audio[None, None], "text_ids": np.array([ids], np.int32), "max_duration": np.array([300])}
    )
    step = np.zeros(1, np.int32)
    for _ in range(15):
        feeds = zip(b.get_inputs(), (noise, *fixed, step), strict=True)
        noise, step = b.run(None, {given.name: array for given, array in feeds})
    (sound,) = c.run(None, {"denoised": noise, "ref_signal_len": length})
    assert sound.dtype == np.int16
    assert np.array_equal(made, sound.reshape(-1))


# Long text.


def test_long_text_comes_in_chunks_of_bounded_length(folder: Path) -> None:
    stream = load(folder).open(max_chunk_duration=5.0)
    blocks = list(stream.speak(LONG))
    assert len(blocks) > 4
    assert max(map(len, blocks)) / 2 / stream.rate <= 3.0  # 5 s less one of the reference and one to spare


def test_what_is_measured_is_the_longest_chunk_in_one_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = load(folder)
    ran: list[str] = []
    once = Session.run

    def run(self: Session, feeds: Any, outputs: Any = None) -> Any:
        ran.append(Path(self._name).name)
        return once(self, feeds, outputs)

    monkeypatch.setattr(Session, "run", run)
    stream = resident.open(max_chunk_duration=10)
    reference = stream._speaker.pace.frames  # type: ignore[union-attr]
    (made,) = stream.heaviest()
    assert len(made) // 2 // 256 == 10 * 24000 // 256 - 24000 // 256 - reference
    assert [name for name in ran if "transformer" in name.lower()] == ["F5_Transformer.onnx"]
    stream.close()
    with pytest.raises(EngineError, match="closed"):
        next(stream.heaviest())
    resident.close()


def test_nothing_of_a_long_text_is_left_out(folder: Path) -> None:
    words = " ".join(WORDS[(at * at + at // 3) % 8] for at in range(90))
    speaker = load(folder).open(max_chunk_duration=5.0)._speaker
    assert speaker is not None
    chunks = [read(sound.astype(np.int16)) for sound in speaker.sounds(words)]
    assert len(chunks) > 3
    at = 0
    for chunk in chunks:
        found = words.index(chunk, at)
        assert found - at <= 8  # the seam of the two texts: their letters have not the same bytes
        at = found + len(chunk)
    assert at == len(words)


def test_chunks_fade_into_each_other(folder: Path) -> None:
    resident = load(folder)
    sounds = [b"".join(resident.open(cross_fade_duration=fade).speak(LONG)) for fade in (0.0, 0.1)]
    joints = len(list(resident.open(cross_fade_duration=0.0).speak(LONG))) - 1
    assert joints >= 1
    assert len(sounds[0]) - len(sounds[1]) == 2 * joints * 2400


def test_a_chunk_comes_before_the_next_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    run = Graphs.run

    def counted(self: Graphs, audio: NDArray[np.int16], ids: list[int], frames: int, seed: int) -> NDArray[np.float32]:
        made.append(frames)
        return run(self, audio, ids, frames, seed)

    monkeypatch.setattr(Graphs, "run", counted)
    blocks = iter(load(folder).open().speak(LONG))
    next(blocks)
    assert len(made) == 1
    assert max(made) <= 15 * 24000 // 256


def test_a_hundred_thousand_characters_without_a_space(folder: Path) -> None:
    blocks = iter(load(folder).open().speak("x" * 100_000))
    assert max(len(next(blocks)) for _ in range(2)) <= 2 * 13 * 24000


@pytest.mark.parametrize("text", ["", "🙂🙃🙂", "...", " \n"])
def test_what_cannot_be_said_is_no_sound(folder: Path, text: str) -> None:
    assert speak(folder, text).size == 0


def test_a_script_that_the_voice_does_not_know(folder: Path) -> None:
    with pytest.raises(UsageError, match="knows none of the letters in 'Добрый день'"):
        speak(folder, "Добрый день")


# Memory.


@pytest.mark.parametrize(("profile", "most"), [("default", 3), ("apart", 1)])
def test_how_many_graphs_are_in_memory_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, profile: str, most: int
) -> None:
    held, seen = set[Session](), set[int]()
    begin, end = Session.__init__, Session.close

    def opened(self: Session, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        held.add(self)
        seen.add(len(held))

    def closed(self: Session) -> None:
        end(self)
        held.discard(self)

    monkeypatch.setattr(Session, "__init__", opened)
    monkeypatch.setattr(Session, "close", closed)
    resident = load(folder, profile)
    b"".join(resident.open().speak(SENTENCE))
    assert max(seen) == most
    resident.close()
    resident.close()
    assert not held


def test_a_stream_ends_with_itself_and_with_its_voice(folder: Path) -> None:
    resident = load(folder)
    first, second = resident.open(), resident.open()
    first.reset()
    first.close()
    first.close()
    with pytest.raises(EngineError, match="closed; open another"):
        next(first.speak("mai"))
    resident.close()
    with pytest.raises(EngineError, match="unloaded"):
        next(second.speak("mai"))


# Whom it speaks like.


@pytest.mark.parametrize("voice", ["ba_3c4d", "male", "southern story", "Male, southern"])
def test_recordings_of_the_model_by_name_or_by_what_they_are(folder: Path, voice: str) -> None:
    resident = load(folder)
    assert resident.open(voice=voice)._speaker.said == "tôi là ba và mai. "  # type: ignore[union-attr]
    assert resident.open()._speaker.said == "xin chào các bạn. "  # type: ignore[union-attr]


def test_a_recording_that_the_model_has_not(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no recording 'cid'; it has an_1a2b, ba_3c4d, and what they are: .*male"):
        load(folder).open(voice="cid")


def test_no_recording_at_all(tmp_path: Path) -> None:
    resident = load(f5.build(tmp_path / "bare"))
    with pytest.raises(UsageError, match="give reference, a sound file of a few seconds, and reference_text"):
        resident.open()
    with pytest.raises(UsageError, match="give reference"):
        resident.open(voice="an")


@pytest.mark.parametrize(("rate", "name"), [(16000, "a.wav"), (48000, "a.flac"), (24000, "a.ogg")])
def test_the_users_own_recording(folder: Path, tmp_path: Path, rate: int, name: str) -> None:
    own = f5.recording(tmp_path / name, 1.0, rate)
    speaker = load(folder).open(reference=own, reference_text="một hai ba")._speaker
    assert speaker is not None
    assert speaker.reference.dtype == np.int16
    assert len(speaker.reference) == pytest.approx(24000, abs=2)
    assert np.abs(speaker.reference.astype(int)).max() == 29491
    assert abs(speaker.reference.mean()) < 1
    assert SENTENCE.endswith(read(speak(folder, reference=str(own), reference_text="một hai ba")))


def wav(path: Path, sound: NDArray[np.int16]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    return path


@pytest.mark.parametrize(
    ("sound", "error", "told"),
    [
        (np.zeros(0, np.int16), DamagedError, "holds no sound at all"),
        (np.zeros(72000, np.int16), DamagedError, "is silent; record it again"),
        (np.full(72000, 900, np.int16), DamagedError, "is silent"),
        (f5.spoken(0.3), UsageError, "shorter than 0.5 s"),
        (f5.spoken(14.0), UsageError, r"14.0 s long and may be at most 13.0"),
        (f5.spoken(61.0), UsageError, "longer than 60 s; cut it"),
    ],
    ids=["empty", "silent", "offset", "short", "long", "very long"],
)
def test_recordings_that_cannot_be_used(
    folder: Path, tmp_path: Path, sound: NDArray[np.int16], error: type[LowvoxError], told: str
) -> None:
    words = "một hai ba bốn năm sáu bảy tám chín mười"
    with pytest.raises(error, match=told):
        load(folder).open(reference=wav(tmp_path / "a.wav", sound), reference_text=words)


def test_a_recording_that_is_none(folder: Path, tmp_path: Path) -> None:
    resident = load(folder)
    with pytest.raises(NotFoundError, match="There is no file"):
        resident.open(reference=tmp_path / "none.wav", reference_text="một")
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(DamagedError, match="not sound that lowvox can read"):
        resident.open(reference=tmp_path / "text.wav", reference_text="một")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"reference_text": None}, "give reference_text as well"),
        ({"reference_text": " "}, "give reference_text as well"),
        ({"reference_text": "..."}, "nothing that can be said"),
        ({"reference_text": "Привет"}, "knows none of the letters"),
        ({"reference_text": "một hai ba " * 60}, "does not say the"),
        ({"reference": None, "reference_text": "một"}, "no reference; give the sound file"),
        ({"rate": 0.1}, "rate must be from 0.5 to 4, not 0.1"),
        ({"rate": float("nan")}, "rate must be"),
        ({"volume": 3.0}, "volume must be from 0 to 2"),
        ({"pitch": 1.5}, "cannot change the pitch"),
        ({"seed": -1}, "seed must be from 0"),
        ({"max_chunk_duration": 0.0}, "max_chunk_duration must be"),
        ({"cross_fade_duration": 5.0}, "cross_fade_duration must be"),
    ],
)
def test_options_that_cannot_be(folder: Path, tmp_path: Path, options: dict[str, Any], told: str) -> None:
    own: dict[str, Any] = {"reference": f5.recording(tmp_path / "a.wav"), "reference_text": "một hai ba"}
    with pytest.raises(UsageError, match=told):
        load(folder).open(**own | options)


def test_volume(folder: Path) -> None:
    loud, soft = speak(folder), speak(folder, volume=0.5)
    assert soft.astype(int) == pytest.approx(loud / 2, abs=1)
    assert not speak(folder, volume=0).any()


# Its files.


@pytest.fixture
def packed(folder: Path, tmp_path: Path, home: Path) -> Path:
    return f5.container(tmp_path / "packed", folder, "model/")


def test_vietvoices_tar(packed: Path, folder: Path) -> None:
    assert layout(packed).tar == "model-bin.pt"
    assert np.array_equal(speak(packed), speak(folder))
    assert np.array_equal(speak(packed, voice="male"), speak(folder, voice="male"))
    assert [file.name for file in packed.iterdir()] == ["model-bin.pt"]


def unpacked() -> list[Path]:
    return list((folders.cache() / "f5").rglob("*.onnx"))


def test_a_tar_is_unpacked_once_and_again_when_it_is_another(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lowvox.models import archive

    count: list[Path] = []
    unpack = archive.unpack

    def counted(tar: Path, into: Path) -> Path:
        count.append(tar)
        return unpack(tar, into)

    monkeypatch.setattr(archive, "unpack", counted)
    for _ in range(2):
        load(packed).close()
    assert len(count) == 1
    with (packed / "model-bin.pt").open("ab") as file:
        file.write(bytes(10240))
    load(packed).close()
    assert len(count) == 2
    assert len(unpacked()) == 3


def test_a_sidecar_beside_a_tar(packed: Path) -> None:
    (packed / FACTS).write_text('{"engine": "f5", "steps": 16, "languages": ["vi"]}')
    assert layout(packed).facts.steps == 16
    with pytest.raises(UsageError, match="exported for 16 steps"):
        load(packed).open(nfe_step=32)


def _member(kind: bytes, name: str, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GRAPHS = {"preprocess.onnx": b"a", "transformer.onnx": b"b", "decode.onnx": b"c", "vocab.txt": b"d"}
HOSTILE = {
    "up": tarred({"../evil": b"x", **GRAPHS}),
    "absolute": tarred({"/tmp/evil": b"x", **GRAPHS}),
    "twice": tar_of([(tarfile.TarInfo(name), data) for name, data in [*GRAPHS.items(), ("vocab.txt", b"")]]),
    "link": tar_of([(_member(tarfile.SYMTYPE, "evil", "/etc"), b"")]),
    "device": tar_of([(_member(tarfile.CHRTYPE, "evil"), b"")]),
    "hard link": tar_of([(_member(tarfile.LNKTYPE, "evil", "/etc/passwd"), b"")]),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tar(tmp_path: Path, home: Path, content: bytes) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model-bin.pt").write_bytes(content)
    with pytest.raises(DamagedError, match="not unpacked"):
        load(tmp_path / "m")
    assert not list(tmp_path.rglob("evil"))
    assert not unpacked()


def test_a_bomb(tmp_path: Path, home: Path) -> None:
    (tmp_path / "model-bin.pt").write_bytes(tarred({**GRAPHS, "zeros": bytes(100 << 20)}, kind="gz"))
    with pytest.raises(DamagedError, match="far more than a model takes"):
        load(tmp_path)
    assert not unpacked()


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_tar(packed: Path, kept: float) -> None:
    tar = packed / "model-bin.pt"
    whole = tar.read_bytes()
    end = whole.rstrip(b"\0")
    tar.write_bytes(whole[: int(len(end) * kept)])
    with pytest.raises(DamagedError, match="fetch it again"):
        load(packed)
    assert not unpacked()


def test_other_folders_are_no_f5_voice(tmp_path: Path) -> None:
    for name in ("model.onnx", "decode.onnx", "weights.pt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "other.tar").write_bytes(tarred({"am/final.mdl": b"x"}))
    with pytest.raises(NotFoundError, match="holds no F5 voice"):
        layout(tmp_path)
    with pytest.raises(NotFoundError, match="lowvox pull PATH"):
        load(None)


@pytest.mark.parametrize("name", [*f5.NAMES[::2], "vocab.txt"])
def test_a_file_that_is_missing(copy: Path, name: str) -> None:
    (copy / name).write_bytes(b"")
    with pytest.raises(DamagedError, match=r"incomplete: [a-z.]+ missing or empty; copy or pull"):
        layout(copy)


@pytest.mark.parametrize("name", f5.NAMES)
def test_a_truncated_graph(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedError, match=rf"{name} cannot be loaded .*copy or pull it again"):
        load(copy)


@pytest.mark.parametrize("profile", ["default", "apart"])
@pytest.mark.parametrize(
    ("name", "other"), [(f5.NAMES[0], f5.NAMES[1]), (f5.NAMES[1], f5.NAMES[2]), (f5.NAMES[2], f5.NAMES[0])]
)
def test_a_graph_with_other_inputs(copy: Path, folder: Path, name: str, other: str, profile: str) -> None:
    shutil.copy(folder / other, copy / name)
    with pytest.raises(DamagedError, match=rf"{name} is not that graph of F5 \(.* -> .*\)"):
        b"".join(load(copy, profile).open().speak("mai"))


def test_names_do_not_matter_but_places_do(copy: Path) -> None:
    """The exporter asks for `time_step` on both sides, which cannot be: who renames which is not known."""
    model = onnx.load(copy / f5.NAMES[1])
    for side in (model.graph.input, model.graph.output):
        for value in side:
            for node in model.graph.node:
                for names in (node.input, node.output):
                    for at, name in enumerate(names):
                        names[at] = f"{value.name}.7" if name == value.name else name
            value.name += ".7"
    onnx.save(model, copy / f5.NAMES[1])
    assert SENTENCE.endswith(read(speak(copy)))


def test_more_frames_than_the_export_has_positions_for(tmp_path: Path) -> None:
    small = f5.Shape(frames=600)
    path = f5.add_samples(f5.build(tmp_path / "small", small, {"frames": 600}))
    assert len(list(load(path).open(cross_fade_duration=0).speak(LONG))) > 4
    (path / FACTS).unlink()
    with pytest.raises(EngineError, match="failed at work"):
        speak(path, LONG)


@pytest.mark.parametrize(
    "facts",
    [
        "{",
        '{"engine": "piper"}',
        '{"step": 16}',
        '{"steps": 1}',
        '{"steps": 32, "fused": 2}',
        '{"fused": 0}',
        '{"frames": 10}',
        '{"updates": -1}',
        "[]",
        "\xff",
    ],
)
def test_a_sidecar_that_cannot_be(copy: Path, facts: str) -> None:
    (copy / FACTS).write_bytes(facts.encode("latin-1"))
    with pytest.raises(DamagedError, match="write it or copy the voice again"):
        layout(copy)


@pytest.mark.parametrize("name", ["../../secret.wav", "/etc/passwd", "a\\b.wav", "..", "C:x.wav", ""])
def test_recordings_stay_in_their_folder(copy: Path, name: str) -> None:
    described = msgspec.json.encode([{"file_name": name, "text": "một"}])
    (copy / "audio_metadata.json").write_bytes(described)
    with pytest.raises(DamagedError, match="outside its folder"):
        load(copy)


@pytest.mark.parametrize("described", [b"{", b'[{"file_name": "a.wav"}]', b"\xff", b"[1]"])
def test_a_broken_list_of_recordings(copy: Path, described: bytes) -> None:
    (copy / "audio_metadata.json").write_bytes(described)
    with pytest.raises(DamagedError, match=r"audio_metadata\.json is damaged"):
        load(copy)


def test_a_recording_of_the_model_that_is_not_there(copy: Path) -> None:
    shutil.rmtree(copy / "cleaned_audios")
    with pytest.raises(NotFoundError, match=r"There is no file .*an_1a2b.wav"):
        load(copy).open()


def test_the_interface_is_that_of_the_export() -> None:
    described = [onnx.load(io.BytesIO(made)) for made in (f5.preprocess(), f5.transformer(), f5.decode())]
    kinds = {1: "f32", 5: "i16", 6: "i32", 7: "i64"}

    def side(values: Any) -> list[str]:
        def axes(value: Any) -> str:
            return ",".join(axis.dim_param or str(axis.dim_value) for axis in value.type.tensor_type.shape.dim)

        return [f"{value.name} {kinds[value.type.tensor_type.elem_type]}[{axes(value)}]" for value in values]

    a, b, c = described
    between = [
        "noise f32[1,max_duration,100]",
        "rope_cos_q f32[2,16,max_duration,64]",
        "rope_sin_q f32[2,16,max_duration,64]",
        "rope_cos_k f32[2,16,64,max_duration]",
        "rope_sin_k f32[2,16,64,max_duration]",
        "cat_mel_text f32[1,max_duration,612]",
        "cat_mel_text_drop f32[1,max_duration,612]",
    ]
    assert side(a.graph.input) == ["audio i16[1,1,audio_len]", "text_ids i32[1,text_ids_len]", "max_duration i64[1]"]
    assert side(a.graph.output) == [*between, "ref_signal_len i64[]"]
    assert side(b.graph.input) == [*between, "time_step i32[1]"]
    assert side(b.graph.output) == ["denoised f32[1,max_duration,100]", "time_step_out i32[1]"]
    assert side(c.graph.input) == ["denoised f32[1,max_duration,100]", "ref_signal_len i64[]"]
    assert side(c.graph.output) == ["output_audio i16[1,1,generated_len]"]
    assert {made.opset_import[0].version for made in described} == {17}
