"""Exercise: real engines in real processes, and some that leak."""

from __future__ import annotations

import gc
from itertools import pairwise
from pathlib import Path

import pytest

from lowvox.errors import NotFoundError, WorkerDiedError
from lowvox.memory import exercise as exercising
from lowvox.memory.exercise import Exercise, Lifetime, exercise
from lowvox.types import Model, Profile, Role

TESTS = Path(__file__).parents[1]
MB = 2**20


@pytest.fixture(autouse=True)
def _replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def model(name: str, role: Role = "recognizer", path: Path | None = None) -> Model:
    return Model(name, "test", role, (), path)


@pytest.mark.parametrize("lifetime", ["load", "stream", "run"])
def test_what_leaks_is_seen_wherever_it_is_done(lifetime: Lifetime) -> None:
    told: list[int] = []
    held = exercise("replicas.naughty:Leaky", model("leaky-1"), Profile(), lifetime, 6, told=told.append)
    assert told == [1, 2, 3, 4, 5, 6]
    steps = [after - before for before, after in pairwise(held.after)]
    assert all(abs(step - MB) < 0.2 * MB for step in steps), steps
    assert held.after[0] - held.before >= MB


def test_a_worker_takes_what_leaks_with_it() -> None:
    held = exercise("replicas.naughty:Leaky", model("leaky-32"), Profile(), "worker", 3)
    assert held.after[-1] < held.before + 2 * MB


@pytest.mark.parametrize("lifetime", ["load", "stream", "run"])
def test_what_comes_back_is_not_counted(lifetime: Lifetime) -> None:
    held = exercise("replicas.naughty:Big", model("big-64"), Profile(), lifetime, 3)
    kept = 0 if lifetime == "load" else 64 * MB
    assert kept <= held.before < kept + 20 * MB
    assert held.after[-1] < held.before + 2 * MB


def test_without_trimming_freed_memory_is_the_c_librarys() -> None:
    """The heap of an engine that frees everything but its last piece."""
    heaps = [
        exercise("replicas.hoarding:Heap", model("heap"), Profile(), "load", 2, trim=trim) for trim in (True, False)
    ]
    trimmed, usual = (held.after[-1] - held.before for held in heaps)
    assert usual > trimmed + 16 * MB


def test_a_synthesizer_and_a_vad() -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    speaking = exercise("lowvox.engines.espeak.engine:Espeak", model("espeak", "synthesizer"), Profile(), "stream", 2)
    hearing = exercise("lowvox.engines.silero:SileroVad", model("silero-vad", "vad"), Profile(), "run", 2)
    assert speaking.after[1] < speaking.after[0] + MB
    assert hearing.after[1] < hearing.after[0] + MB
    assert speaking.cycles == hearing.cycles == ()


def test_reference_cycles_come_with_their_holders() -> None:
    (cycle,) = exercise("replicas.hoarding:Circular", model("circular"), Profile(), "load", 2).cycles
    assert "replicas.hoarding.Circular" in cycle.types
    assert cycle.holders


def test_what_goes_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match="SIGSEGV"):
        exercise("replicas.naughty:Crashing", model("crashing"), Profile(), "load", 2)
    pytest.importorskip("vosk", reason="needs the vosk extra")
    with pytest.raises(NotFoundError, match="holds no Vosk model"):
        exercise("lowvox.engines.vosk.engine:Vosk", model("vosk", path=tmp_path), Profile(), "load", 2)


@pytest.mark.parametrize("lifetime", ["load", "stream", "run", "worker"])
def test_inside(lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in this process, whatever the collector's state."""
    monkeypatch.syspath_prepend(TESTS)
    inside = Exercise().load(model("none-1"), Profile())
    inside.begin("replicas.naughty:Engine", lifetime, exercising._sound())
    inside.turn()
    assert [cycle for cycle in inside.cycles() if any("naughty" in kind for kind in cycle.types)] == []
    assert gc.isenabled()
