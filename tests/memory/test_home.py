from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lowvox.errors import EngineError, LowvoxError, WorkerDiedError
from lowvox.memory import meter
from lowvox.memory.home import Home
from lowvox.memory.residency import Want
from lowvox.types import Choice, Footprint, Model, Placement
from replicas.standins import FRAME, MB, VAD, children, register, standin

SMALL = Footprint(resident=24 * MB, stream=MB, work=3 * MB, load_s=0.1)


class Homes:
    """Those of a test; none of them outlives it."""

    def __init__(self) -> None:
        self.made: list[Home] = []

    def __call__(
        self, model: Model, placement: Placement = "worker", size: Footprint = SMALL, *, held_to_plan: bool = False
    ) -> Home:
        choice = Choice(model, placement=placement, runs=1 if held_to_plan else 2)  # only one run has a ceiling
        self.made.append(Home(Want(choice, size), held_to_plan=held_to_plan))
        return self.made[-1]


@pytest.fixture
def homes(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Homes]:
    register(monkeypatch, "Engine")
    made = Homes()
    yield made
    for each in made.made:
        each.unload()
    assert not children()


def test_a_model_in_a_worker_from_loading_to_unloading(homes: Homes) -> None:
    it = homes(standin())
    assert (it.pid, it.dead) == (None, False)
    taken = it.open(1, ())
    assert {it.pid} == children()
    assert it.permits is None  # the worker's lanes bound them
    assert it.at_rest() == taken > 5 * MB
    assert it.stream(1).finish() == ()
    it.open(2, (("language", "de"),))
    assert it.stream(2) is not it.stream(1)
    it.close(1)
    it.close(1)
    with pytest.raises(EngineError, match=r"^engine has been closed; open it again\.$"):
        it.stream(1)
    assert it.unload() == 0
    assert it.unload() == 0
    assert not children()
    assert it.at_rest() == 0
    assert it.dead
    it.trim()


def test_a_model_in_this_process(homes: Homes) -> None:
    it = homes(VAD, "in-process", Footprint(2 * MB, MB, MB, 0.1))
    assert it.open(1, ()) == 3 * MB
    assert it.open(2, ()) == 4 * MB
    assert (it.pid, it.dead) == (None, False)
    assert it.permits is not None
    assert 0 <= it.stream(1).probability(FRAME) <= 1
    it.trim()
    stream = it.stream(2)
    assert 0 <= it.unload() <= 4 * MB
    assert it.unload() == 0
    with pytest.raises(EngineError):
        stream.probability(FRAME)


def test_what_was_never_measured_takes_what_this_process_grows_by(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, "Big", at="replicas.naughty:Big")
    it = homes(standin("Big", "big-40"), "in-process", Footprint(0, 0, 0, 1.0))
    assert 39 * MB < it.open(1, ()) < 60 * MB
    it.end("has been stopped.")  # nothing ends what is in this process
    assert it.stream(1).finish() == ()
    assert it.unload() < 20 * MB


def test_a_seat_that_is_opened_anew_has_another_stream(homes: Homes) -> None:
    it = homes(standin())
    it.open(1, ())
    first = it.stream(1)
    it.open(1, (("language", "de"),))
    assert it.stream(1) is not first
    with pytest.raises(EngineError, match="This stream of engine is closed"):
        first.partial()


def test_a_shared_file_is_no_growth_when_another_leaves_it(
    homes: Homes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its pages count as a process's own when that is the last to map them."""
    register(monkeypatch, "Mapping")
    file = tmp_path / "weights"
    file.write_bytes(b"x" * 20 * MB)
    one, other = (homes(replace(standin("Mapping"), path=file)) for _ in range(2))
    one.open(1, ())
    other.open(1, ())
    held, private = one.at_rest(), one.private()
    other.unload()
    assert one.at_rest() > held + 18 * MB
    assert abs(one.private() - private) < MB


def test_one_that_has_ended_says_why(homes: Homes) -> None:
    it = homes(standin())
    it.open(1, ())
    it.end("was stopped for a reason.")
    assert it.dead
    assert it.at_rest() == 0
    with pytest.raises(WorkerDiedError, match=r"^engine was stopped for a reason\.$"):
        it.stream(1).partial()
    it.close(1)
    it.trim()


def test_one_that_was_ended_before_it_began_loads_nothing(homes: Homes) -> None:
    it = homes(standin())
    it.end("has been closed.")
    with pytest.raises(WorkerDiedError, match=r"^engine has been closed\.$"):
        it.open(1, ())
    assert not children()


def test_a_worker_that_was_killed_is_dead(homes: Homes) -> None:
    it = homes(standin())
    it.open(1, ())
    assert it.pid
    os.kill(it.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        it.stream(1).reset()
    assert it.dead


def test_renewing_is_another_process_with_one_stream(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Leaky")
    it = homes(standin("Leaky", "leaky-30"))
    it.open(1, ())
    it.stream(1).finish()
    first, grown = it.pid, it.at_rest()
    it.renew(1, (("language", "de"),))
    assert it.pid != first
    assert children() == {it.pid}
    assert it.at_rest() < grown - 25 * MB
    assert it.stream(1).partial() == ""


def test_a_ceiling_is_what_was_planned_and_a_little(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Liar")
    planned = Footprint(24 * MB, MB, 3 * MB, 0.1, data=60 * MB)
    free = homes(standin("Liar", "liar-100"), size=planned)
    held = homes(standin("Liar", "liar-100"), size=planned, held_to_plan=True)
    for it in (free, held):
        it.open(1, ())
        it.stream(1).accept(FRAME)
    assert free.stream(1).finish() == ()
    with pytest.raises(WorkerDiedError, match=r"^liar-100 needed more than the 71 MB that were planned for it"):
        held.stream(1).finish()


def test_patience_follows_from_how_long_it_took_when_it_was_measured(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, "Hanging")
    monkeypatch.setattr("lowvox.memory.home._SHORTEST_S", 0.1)
    it = homes(standin("Hanging"), size=Footprint(24 * MB, MB, 3 * MB, load_s=0.005))
    with pytest.raises(WorkerDiedError, match=r"^hanging did not finish loading in 0\.25 s; try again, or"):
        it.open(1, ())
    assert not children()


@pytest.mark.parametrize("placement", ["worker", "in-process"])
def test_whatever_an_engine_does_in_closing_it_goes(
    homes: Homes, monkeypatch: pytest.MonkeyPatch, placement: Placement
) -> None:
    register(monkeypatch, "Clinging", at="naughty:Clinging" if placement == "worker" else "replicas.naughty:Clinging")
    it = homes(standin("Clinging"), placement)
    it.open(1, ())
    it.open(2, ())
    it.close(1)
    it.open(2, (("language", "de"),))
    it.unload()
    with pytest.raises(EngineError):
        it.stream(2).partial()
    assert not children()


@pytest.mark.parametrize("placement", ["worker", "in-process"])
def test_what_cannot_be_loaded_leaves_nothing(
    homes: Homes, monkeypatch: pytest.MonkeyPatch, placement: Placement
) -> None:
    register(monkeypatch, "Missing", package="no_such_package")
    before = meter.tree()
    it = homes(standin("Missing"), placement)
    with pytest.raises(LowvoxError, match="needs a package that is not installed"):
        it.open(1, ())
    register(monkeypatch, "Missing")
    with pytest.raises((LowvoxError, ImportError)):
        it.open(1, ())
    assert meter.tree() == before
    assert it.unload() == 0  # nothing of it was there
