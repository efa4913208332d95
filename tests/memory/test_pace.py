"""What is timed, on engines that are quick; no test looks at the time itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lowvox import engines
from lowvox.engines import Entry
from lowvox.errors import EngineError
from lowvox.memory import pace
from lowvox.memory.pace import Timed
from lowvox.models import find
from lowvox.types import Choice, Model, Profile
from replicas import naughty

VAD = Model("silero-vad", "silero-vad", "vad", ())


@pytest.fixture(autouse=True)
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(naughty.__file__).parent))


@pytest.mark.parametrize("name", ["silero-vad", "lowvox-te", "lowvox-voice"])
def test_a_model_has_a_pace(name: str) -> None:
    roles = {"silero-vad": "vad", "lowvox-te": "punctuator", "lowvox-voice": "synthesizer"}
    model = find(roles[name], name=name)  # type: ignore[arg-type]
    heard = pace.sound(model)
    assert bool(heard) == (name == "silero-vad")
    assert pace.rtf(Choice(model), engines.entry(model.engine), heard) > 0


def test_a_voice_speaks_a_sentence_and_where_it_cannot_its_heaviest_work(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = Timed().load(find("synthesizer", name="lowvox-voice"), Profile())
    timed.begin(engines.entry("lowvox-voice").at, b"")
    _, spelled = timed.run()
    monkeypatch.setattr(timed._stream, "speak", lambda _: iter(()))
    _, heaviest = timed.run()
    assert 2 < spelled < 15
    assert heaviest > 0
    assert timed._silent
    timed._resident.close()


def test_a_thread_that_waited_is_known() -> None:
    waited = pace._waited()
    if not Path("/proc/self/schedstat").exists():
        assert waited == {}
        return
    assert waited
    assert all(seconds >= 0 for seconds in waited.values())


def test_an_engine_that_crashes_is_one_sentence() -> None:
    entry = Entry("recognizer", "naughty:Crashing", ("worker",), "", None, "", "", capacity=1)
    with pytest.raises(EngineError, match="SIGSEGV"):
        pace.rtf(Choice(Model("it-1", "Crashing", "recognizer", ())), entry, bytes(200000))


def test_it_is_light_to_import() -> None:
    code = "import sys, lowvox.memory.pace, lowvox.memory.tuning; assert not {'numpy', 'onnxruntime'} & {*sys.modules}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
