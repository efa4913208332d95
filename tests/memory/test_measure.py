from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lowvox import engines
from lowvox.engines import Entry
from lowvox.errors import EngineError, NotFoundError
from lowvox.memory import measure, meter, pressure
from lowvox.memory.ledger import Ledger
from lowvox.models import find
from lowvox.types import Choice, Footprint, Model
from replicas import kaldi, naughty

MB = meter.MB
VAD = Model("silero-vad", "silero-vad", "vad", ())
EARS = Model("pocketsphinx-en-us", "pocketsphinx", "recognizer", ("en",))


def measured(choice: Choice) -> Footprint:
    return measure.footprint(choice, engines.entry(choice.model.engine))


def tried(name: str, model: str, patience_s: float = 600) -> Footprint:
    """Measure an engine that misbehaves."""
    entry = Entry("recognizer", f"naughty:{name}", ("worker",), "", None, "", "", capacity=1)
    return measure.footprint(Choice(Model(model, name, "recognizer", ())), entry, patience_s)


@pytest.fixture(autouse=True)
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(naughty.__file__).parent))


def test_a_part_of_this_process_takes_what_it_adds() -> None:
    found = measured(Choice(VAD, placement="in-process"))
    assert 1 * MB < found.peak() < 12 * MB
    assert found.stream > 1 * MB, "each stream has its own network"
    assert found.load_s > 0


def test_a_part_in_a_worker_takes_the_whole_process() -> None:
    alone, inside = measured(Choice(VAD)), measured(Choice(VAD, placement="in-process"))
    assert alone.resident > inside.resident + 2 * MB
    assert alone.stream == pytest.approx(inside.stream, rel=0.1)


def test_a_recogniser_is_measured_at_its_hardest() -> None:
    found = measured(Choice(EARS))
    assert found.stream > 50 * MB
    assert found.longest == 15
    assert 15 * MB < found.work < 50 * MB
    assert 5 * MB < found.work_for(5) < 0.7 * found.work
    assert found.returned > found.stream
    assert 3 * MB < found.shared < found.resident
    assert 0.9 * found.peak() < found.data < 1.3 * found.peak()
    assert found.rtf > 0


@pytest.mark.skipif(not engines.available("espeak"), reason="needs the extra espeak")
def test_a_voice_is_measured_where_it_makes_the_most_sound() -> None:
    found = measured(Choice(find("synthesizer", name="espeak")))
    assert found.longest == 400
    assert found.work > 11 * MB
    assert found.work_for(100) < found.work
    assert found.stream < MB, "the library is one, its voices take turns"


@pytest.mark.skipif(not engines.available("vosk"), reason="needs the extra vosk")
def test_streams_that_share_a_resident_work_at_once(tmp_path: Path) -> None:
    model = Model("replica", "vosk", "recognizer", ("en",), path=kaldi.build(tmp_path / "model"))
    one, two = measured(Choice(model)), measured(Choice(model, runs=2))
    assert one.resident == pytest.approx(two.resident, rel=0.1)
    assert one.peak() == pytest.approx(two.peak(), rel=0.1)
    assert two.peak(2) > two.peak(2, runs=1)


def test_what_is_measured_twice_is_the_same() -> None:
    choice = Choice(VAD, runs=2)
    assert measured(choice).peak(2) == pytest.approx(measured(choice).peak(2), rel=0.03)


def test_what_is_measured_is_believed(tmp_path: Path) -> None:
    ledger, found = Ledger(tmp_path / "ledger.sqlite"), measure.audio_footprint()
    ledger.put("a", found)
    assert ledger.get("a") == found


def test_weights_are_resident_and_come_back() -> None:
    found = tried("Big", "big-80")
    assert 80 * MB < found.resident < 100 * MB
    assert found.work < 10 * MB
    assert 79 * MB < found.returned < 90 * MB


def test_an_engine_that_leaks_shows_in_its_work() -> None:
    found = tried("Leaky", "leaky-20")
    assert found.work > 60 * MB, "three runs"
    assert found.returned < 10 * MB


def test_an_engine_that_raises_in_close_is_measured() -> None:
    assert tried("Clinging", "clinging-8").peak() > 5 * MB


@pytest.mark.parametrize(
    ("engine", "says"),
    [("Crashing", r"it-1 could not be measured here .*SIGSEGV"), ("Missing", "it-1 could not be measured")],
)
def test_a_crash_is_one_sentence(engine: str, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        tried(engine, "it-1")


def test_an_engine_that_hangs_is_ended() -> None:
    with pytest.raises(EngineError, match=r"it-1 could not be measured here .*: it-1 did not finish in 0\.5 s"):
        tried("Hanging", "it-1", patience_s=0.5)


def test_one_run_that_dies_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("recognizer", "naughty:Crashing", ("worker",), "", None, "", "", runs=2)
    trial = measure._Trial
    monkeypatch.setattr(
        trial, "_work", lambda self, index, length, live=False: length and self._streams[index].finish()
    )
    monkeypatch.setattr(trial, "_at_work", lambda self, *_: self._together(1.0))
    with pytest.raises(EngineError, match="SIGSEGV"):
        measure.footprint(Choice(Model("it-1", "", "recognizer", ()), runs=2), entry)


def test_a_model_that_lies_about_its_size_does_not_take_the_machine_down(monkeypatch: pytest.MonkeyPatch) -> None:
    free = pressure.Pressure(available=400 * MB, total=800 * MB)
    monkeypatch.setattr(pressure, "read", lambda: free)
    assert tried("Big", "big-40").resident > 40 * MB
    with pytest.raises(EngineError, match=r"big-600 could not be measured here \(336 MB are free\): .*336 MB") as error:
        tried("Big", "big-600")
    assert "\n" not in str(error.value)
    free = pressure.Pressure(available=40 * MB, total=800 * MB)
    with pytest.raises(EngineError, match="could not be measured"):
        tried("Big", "big-1")


@pytest.mark.skipif(not engines.available("vosk"), reason="needs the extra vosk")
def test_what_the_engine_says_of_a_model_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no Vosk model"):
        measured(Choice(Model("broken", "vosk", "recognizer", ("en",), path=tmp_path)))


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are the kernel's")
@pytest.mark.parametrize(("rate", "form"), [(8000, "WAV"), (44100, "FLAC")])
def test_sound_takes_what_was_measured(tmp_path: Path, rate: int, form: str) -> None:
    import numpy as np
    import soundfile

    path = tmp_path / "sound"
    noise = np.random.default_rng(1).normal(0, 0.1, (rate * 16, 2)).astype(np.float32)
    soundfile.write(path, noise, rate, format=form)
    script = (
        "import sys, os, lowvox.speech\n"
        "from lowvox.memory import meter\n"
        "before = meter.usage(os.getpid()).rss\n"
        "from lowvox import recognition\n"
        "from lowvox.audio import reading\n"
        "from lowvox.memory.listening import Reader\n"
        "with reading.opened(sys.argv[1]) as recording:\n"
        "    list(recognition.utterances(recording.blocks(), Reader(), recognition.limits(0.5)))\n"
        "print(meter.peak_rss(os.getpid()) - before)"
    )
    took = int(subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True).stdout)
    assert measure.audio_footprint().peak() == pytest.approx(took, rel=0.1)
