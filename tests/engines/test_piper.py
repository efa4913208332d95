"""The `piper` engine on stand-ins of its voices: whole and split, one speaker and several, and damaged ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lowvox.engines import vits
from lowvox.engines.piper import engine as piper
from lowvox.engines.piper.engine import Piper, PiperResident
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.voices import voice as voices
from lowvox.types import Model, Profile
from replicas import graphs
from replicas import vits as replica

NAME = "ru_RU-test-low"
TEXT = "Съешь ещё этих мягких французских булок, да выпей чаю!"
STILL: dict[str, Any] = {"noise": 0, "noise_w": 0}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Voices by folder, and the same in parts in `NAME-split`."""
    base = tmp_path_factory.mktemp("voices")
    for name, told in {"one": {}, "three": {"speakers": 3}, "attentive": {"vits2": True}}.items():
        path = replica.voice(base / name, NAME, "text", **told)  # type: ignore[arg-type]
        voices.split(str(path), base / f"{name}-split")
    return base


def load(folder: Path, profile: Profile | None = None) -> PiperResident:
    return Piper().load(Model("test", "piper", "synthesizer", ("ru",), folder), profile or Profile())


def sound(resident: PiperResident, text: str = TEXT, **options: Any) -> NDArray[np.int16]:
    return heard(list(resident.open(**options).speak(text)))


def heard(blocks: list[bytes]) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(blocks), "<i2")


def near(one: NDArray[np.int16], other: NDArray[np.int16]) -> bool:
    """The same to a step of PCM, which is three times 1e-5."""
    return one.shape == other.shape and int(np.abs(one.astype(int) - other).max()) <= 1


def test_it_speaks(made: Path) -> None:
    resident = load(made / "one")
    stream = resident.open()
    assert stream.rate == 16000
    spoken = heard(list(stream.speak(TEXT)))
    assert spoken.size % replica.HOP == 0
    assert 1 < spoken.size / stream.rate < 20
    assert spoken.std() > 1000
    stream.reset()
    stream.close()
    resident.close()
    resident.close()


@pytest.mark.parametrize("name", ["one", "three", "attentive"])
@pytest.mark.parametrize("profile", [Profile(window=5), Profile(window=64), Profile("apart", window=5)])
def test_parts_in_windows_say_what_the_whole_says(made: Path, name: str, profile: Profile) -> None:
    options = STILL | ({"speaker": 2} if name == "three" else {})
    expected = sound(load(made / name), **options)
    assert near(sound(load(made / f"{name}-split", profile), **options), expected)


def test_the_first_sound_comes_after_the_first_window(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = load(made / "one-split", Profile(window=6))
    ran: list[str] = []

    def run(self: Session, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> Any:
        ran.append(self._name.rpartition(".")[0].rpartition(".")[2])
        return once(self, feeds, outputs)

    once = Session.run
    monkeypatch.setattr(Session, "run", run)
    blocks = resident.open(**STILL).speak(TEXT)
    first = next(blocks)
    assert ran == ["front", "flow", "decoder"]
    rest = list(blocks)
    assert len(rest) > 5
    assert len(first) < sum(map(len, rest)) / 3
    assert ran.count("decoder") == 1 + len(rest)


def lengths_of_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that will hold how many symbols each run of a front was given."""
    given: list[int] = []

    def run(self: Session, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> Any:
        if "input" in feeds:
            given.append(feeds["input"].shape[1])
        return once(self, feeds, outputs)

    once = Session.run
    monkeypatch.setattr(Session, "run", run)
    return given


@pytest.mark.parametrize("name", ["one", "one-split"])
def test_what_is_measured_is_the_most_that_a_run_is_given(
    made: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = load(made / name, Profile(window=64) if name == "one-split" else None)
    given = lengths_of_runs(monkeypatch)
    stream = resident.open(rate=0.5, noise_w=0)
    list(stream.speak("ж, " * 130 + "щ" * 600))
    assert max(given) <= vits.LONGEST
    assert sum(given) > 1500
    given.clear()
    seconds = sum(map(len, stream.heaviest())) / 2 / stream.rate
    assert given == [vits.LONGEST]
    assert (4 <= seconds < 6) == (name == "one-split")
    resident.close()


def test_rate_volume_and_noise_are_heard(made: Path) -> None:
    resident = load(made / "one")
    usual = sound(resident, **STILL)
    assert sound(resident, rate=2, **STILL).size < 0.7 * usual.size
    assert sound(resident, rate=0.5, **STILL).size > 1.5 * usual.size
    assert np.abs(sound(resident, volume=0.5, **STILL) - usual / 2).max() <= 1
    assert not sound(resident, volume=0, **STILL).any()
    assert len({sound(resident, noise=0, noise_w=1).size for _ in range(8)}) > 1
    noisy = sound(resident, noise=0.667, noise_w=0)
    assert noisy.size == usual.size
    assert (noisy != usual).any()


def test_volume_clips_and_never_wraps_around() -> None:
    loud = np.frombuffer(vits.pcm(np.array([0.9, -0.9, 0.1], np.float32), 2), "<i2")
    assert loud.tolist() == [32767, -32767, 6553]
    with pytest.raises(DamagedError, match="no numbers"):
        vits.pcm(np.array([np.nan], np.float32))


def test_speakers_by_name_number_and_behind_a_plus(made: Path) -> None:
    resident = load(made / "three")
    first, last = sound(resident, **STILL), sound(resident, speaker="speaker2", **STILL)
    assert not near(first, last)
    other: list[dict[str, Any]] = [{"speaker": 2}, {"speaker": "2"}, {"voice": "test+speaker2"}, {"voice": "+2"}]
    usual: list[dict[str, Any]] = [{"speaker": 0}, {"voice": "test"}, {"voice": "test+speaker2", "speaker": 0}]
    assert all(near(sound(resident, **options, **STILL), last) for options in other)
    assert all(near(sound(resident, **options, **STILL), first) for options in usual)
    for unknown in ({"speaker": 3}, {"speaker": -1}, {"voice": "test+anna"}, {"speaker": "²"}):
        with pytest.raises(UsageError, match=r"no speaker .*; it has speaker0, speaker1, speaker2\."):
            resident.open(**unknown)
    with pytest.raises(UsageError, match="it has one alone"):
        load(made / "one").open(voice="test+anna")
    assert load(made / "one").open(speaker=0).rate == 16000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pitch": 1.1}, "'test' has no pitch to choose: leave it at 1"),
        ({"rate": 0.4}, r"The rate must be from 0\.5 to 4, not 0\.4"),
        ({"rate": float("nan")}, "The rate must be"),
        ({"volume": -1}, "The volume must be from 0 to 2"),
        ({"noise": 3}, "The noise must be from 0 to 2"),
        ({"noise_w": -0.1}, "The noise_w must be from 0 to 2"),
    ],
)
def test_options_that_cannot_be(made: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(made / "one").open(**options)


@pytest.mark.parametrize("name", ["one", "one-split"])
def test_a_seed_gives_the_same_sentences_in_the_same_order(made: Path, name: str) -> None:
    texts = ["Один.", "Один.", "Два и три."]

    def spoken(stream: Any) -> list[bytes]:
        return [b"".join(stream.speak(text)) for text in texts]

    resident = load(made / name, Profile(window=8))
    stream = resident.open(seed=5)
    first = spoken(stream)
    assert first[0] != first[1]
    stream.reset()
    assert spoken(stream) == first
    sound(resident)  # somebody else's noise, between
    assert spoken(resident.open(seed=5)) == first
    assert spoken(load(made / name, Profile("apart", window=8)).open(seed=5)) == first
    assert spoken(resident.open(seed=6)) != first
    stream.close()


def test_noise_is_not_the_same_after_somebody_used_a_seed(made: Path) -> None:
    def noisy() -> bytes:
        with_seed = Session(made / "one" / f"{NAME}.onnx", seed=5)
        with_seed.close()
        resident = load(made / "one")
        made_now = sound(resident).tobytes()
        resident.close()
        return made_now

    assert noisy() != noisy()


def test_text_that_it_cannot_speak(made: Path) -> None:
    stream = load(made / "one").open()
    for silent in ("", " ", "😀😀", "...", "—"):
        assert list(stream.speak(silent)) == []
    for foreign in ("你好！", "مرحبا"):
        with pytest.raises(EngineError, match=f"does not know the script of '{foreign}'"):
            list(stream.speak(foreign))
    mixed, plain = (sound(load(made / "one"), text, **STILL) for text in ("да 你好 нет", "да  нет"))
    assert near(mixed, plain)


def test_odd_text_is_no_trouble(made: Path) -> None:
    stream = load(made / "one-split", Profile(window=16)).open(**STILL)
    for text in ("\0", "\ud800 а", "x" * 300, "\n\n\n", "[[", "]] [[а]]", "<speak>а</speak>"):
        assert all(len(block) % 2 == 0 for block in stream.speak(text))


def test_the_old_padding_is_another_sound(made: Path) -> None:
    resident = load(made / "one")
    assert sound(resident, "а", **STILL).size != sound(resident, "а", padded=False, **STILL).size


def test_a_voice_whose_sound_is_no_numbers(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = load(made / "one")
    monkeypatch.setattr(resident._voice, "run", lambda *_: iter([np.full(4, np.inf, np.float32)]))
    with pytest.raises(DamagedError, match="copy or pull it again"):
        list(resident.open().speak("а"))


# Damage


def changed(made: Path, folder: Path, name: str = "one", **changes: Any) -> Path:
    """Copy a voice and change its json."""
    shutil.copytree(made / name, folder)
    path = folder / f"{NAME}.onnx.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    return folder


def test_a_json_of_another_voice(made: Path, tmp_path: Path) -> None:
    several = changed(made, tmp_path / "several", num_speakers=3)
    with pytest.raises(DamagedError, match=r"has one speaker, and its json says 3: it is that of another voice"):
        load(several)
    one = changed(made, tmp_path / "one", "three", num_speakers=1, speaker_id_map={})
    with pytest.raises(DamagedError, match=r"has several speakers, and its json says 1"):
        load(one)
    more = changed(made, tmp_path / "more", "three", num_speakers=9)
    with pytest.raises(DamagedError, match="is not the graph of this voice"):
        load(more)
    larger = changed(
        made, tmp_path / "larger", num_symbols=999, phoneme_id_map={"_": [0], "^": [1], "$": [2], "а": [700]}
    )
    with pytest.raises(DamagedError, match="is not the graph of this voice"):
        load(larger)


@pytest.mark.parametrize("name", ["one", "one-split"])
def test_a_graph_that_is_cut_or_something_else(made: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(made / name, tmp_path / "voice"))
    graphs_there = sorted(path for path in folder.iterdir() if path.suffix in (".onnx", ".ort"))
    assert graphs_there
    for path in graphs_there:
        data = path.read_bytes()
        for part in (data[: len(data) // 2], b"junk" * 999, graphs.stack()):
            path.write_bytes(part)
            with pytest.raises((DamagedError, EngineError)) as error:
                sound(load(folder), **STILL)
            assert isinstance(error.value, DamagedError) or part == graphs.stack()
            assert path.name in str(error.value) or "do not belong together" in str(error.value)
        path.write_bytes(data)
    assert sound(load(folder), **STILL).size


def test_parts_of_different_voices(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made / "one-split", tmp_path / "voice"))
    shutil.copy(made / "attentive-split" / f"{NAME}.front.ort", folder)
    with pytest.raises(LowvoxError):
        sound(load(folder), **STILL)


def test_other_phonemizers_and_no_folder(made: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="phonemizer that lowvox does not have"):
        load(changed(made, tmp_path / "he", phoneme_type="hebrew"))
    with pytest.raises(NotFoundError, match="has no folder"):
        Piper().load(Model("nowhere", "piper", "synthesizer", ()), Profile())


def test_without_espeak_the_command_is_named(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = changed(made, tmp_path / "voice", phoneme_type="espeak")
    monkeypatch.setattr(piper, "find_spec", lambda _: None)
    with pytest.raises(NotFoundError, match=r"takes its phonemes from espeak.*-m pip install 'lowvox\[espeak\]'`\."):
        load(folder)
    assert load(made / "one").open().rate == 16000


# With espeak, in a process of its own


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs the extra `espeak`")
def test_with_espeak(tmp_path: Path) -> None:
    replica.voice(tmp_path / "voice", "en_US-test-low", "espeak", 2)
    script = f"""if True:
        import json
        from pathlib import Path
        from lowvox.engines import create
        from lowvox.types import Model, Profile
        model = Model("t", "piper", "synthesizer", ("en",), Path({str(tmp_path / "voice")!r}))
        resident = create("piper").load(model, Profile())
        stream = resident.open(noise=0, noise_w=0, voice="t+speaker1")
        texts = ["Hello, world. How are you?", "Hello, world.", "How are you?", "1984", "😀", "", "...", "[[ həlˈoʊ ]]"]
        print(json.dumps([[len(block) for block in stream.speak(text)] for text in texts]))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    both, first, second, number, emoji, nothing, dots, raw = json.loads(done.stdout)
    assert both == first + second
    assert len(both) == 2
    assert min(number + emoji + raw) > 0  # an emoji has a name
    assert nothing == []
    assert dots == []
