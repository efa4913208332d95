"""Tuning on engines that are figures alone: the right ways are tried, and the best of them found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines import Entry
from lowvox.errors import EngineError
from lowvox.memory.tuning import WINDOWS, Row, Tuning, names, tune
from lowvox.types import Choice, Footprint, Model, Placement, Profile

MODEL = Model("m", "m", "synthesizer", ("en",))
WHOLE = Entry("synthesizer", "", ("in-process", "worker"), "onnxruntime", None, "", "")
SPLIT = replace(WHOLE, windows=(Profile(window=64), Profile("apart", window=32)))


@dataclass
class Machine:
    """What ways take by name, window and threads; times by the number of the look at them."""

    peaks: dict[str, int] = field(default_factory=dict)
    paces: dict[str, float] = field(default_factory=dict)
    noise: tuple[float, ...] = (0.0,)
    failing: str = ""
    measured: list[Choice] = field(default_factory=list)
    timed: Counter[Profile] = field(default_factory=Counter)
    told: list[float] = field(default_factory=list)

    def footprint(self, choice: Choice) -> Footprint:
        self.measured.append(choice)
        if choice.profile.name == self.failing:
            raise EngineError("it crashed.")
        peak = self.peaks.get(choice.profile.name, 1000) + 10 * (choice.profile.window or 0)
        return Footprint(peak, 0, 0, 0.1)

    def pace(self, choice: Choice) -> float:
        noise = self.noise[self.timed[choice.profile] % len(self.noise)]
        self.timed[choice.profile] += 1
        wider = 1 + 8 / (choice.profile.window or 64)
        return self.paces.get(choice.profile.name, 1.0) * wider / choice.profile.threads * (1 + noise)

    def reached(self, position: float, length: float) -> None:
        self.told.append(position / length)

    def tune(self, model: Model = MODEL, entry: Entry = WHOLE, threads: tuple[int, ...] = (1,)) -> Tuning:
        return tune(model, entry, threads, (), self.footprint, self.pace, self.reached)


def ways(rows: tuple[Row, ...]) -> list[tuple[str, int, int | None]]:
    return [(row.choice.profile.name, row.choice.profile.threads, row.choice.profile.window) for row in rows]


def test_of_profiles_that_do_the_same_the_usual_one_stays() -> None:
    found = Machine().tune()
    assert ways(found.rows) == [("default", 1, None), ("no-arena", 1, None), ("varied", 1, None)]
    assert ways(found.front) == [("default", 1, None)]
    assert found.front == (found.usual,)
    assert found.tolerance == 0.02


def test_a_smaller_one_and_a_faster_one_are_both_found() -> None:
    found = Machine({"no-arena": 700}, {"varied": 0.5, "no-arena": 1.2}).tune()
    assert ways(found.front) == [("varied", 1, None), ("no-arena", 1, None)]


def test_windows_and_threads_are_tried_on_what_is_left() -> None:
    machine = Machine({"no-arena": 500, "apart": 200}, {"no-arena": 1.3, "apart": 3.0})
    found = machine.tune(replace(MODEL, split=True), SPLIT, (1, 2))
    assert ("apart", 2, 16) in ways(found.rows)
    assert ("varied", 1, 16) not in ways(found.rows), "it did nothing in the usual window"
    assert {row.choice.profile.window for row in found.rows} == {*WINDOWS}
    assert ways(found.front)[0] == ("default", 2, 128)
    assert ways(found.front)[-1] == ("apart", 2, 16)
    assert ways((found.usual,)) == [("default", 1, 64)]
    assert found.usual in found.timed


def test_a_model_that_is_mapped_can_be_packed(tmp_path: Path) -> None:
    (tmp_path / "front.ort").touch()
    mapped = replace(MODEL, path=tmp_path, split=True)
    assert names(mapped, SPLIT) == ("default", "no-arena", "varied", "packed", "apart")
    assert names(MODEL, SPLIT) == ("default", "no-arena", "varied")


def test_noise_widens_what_counts_as_equal() -> None:
    found = Machine({"no-arena": 900}, {"no-arena": 1.06}, noise=(0.0, 0.3, 0.1, 0.08)).tune()
    assert found.tolerance == pytest.approx(0.08, abs=0.001)
    assert ways(found.front) == [("no-arena", 1, None)]
    assert max(len(row.rtfs) for row in found.rows) > 4


def test_figures_that_repeat_are_not_taken_again() -> None:
    machine = Machine()
    machine.tune()
    assert max(machine.timed.values()) == 3


def test_a_way_that_fails_is_left_out() -> None:
    found = Machine(failing="no-arena").tune()
    assert "no-arena" not in {row.choice.profile.name for row in found.rows}
    assert found.failed == ("it crashed.",)
    with pytest.raises(EngineError, match="it crashed"):
        Machine(failing="default").tune()


def test_the_best_are_measured_in_the_other_places_as_well() -> None:
    found = Machine({"no-arena": 700}, {"no-arena": 2.0}).tune()
    places: list[Placement] = [row.choice.placement for row in found.elsewhere]
    assert places == ["worker", "worker"]
    assert all(row.rtf is None and row.spread == 0 for row in found.elsewhere)
    assert {row.choice.placement for row in found.rows} == {"in-process"}


def test_an_engine_without_sessions_has_places_alone() -> None:
    machine = Machine()
    found = machine.tune(entry=replace(WHOLE, package="pocketsphinx"), threads=(1, 2))
    assert ways(found.rows) == ways(found.front) == [("default", 1, None)]
    assert len(machine.measured) == 2


def test_what_was_stated_is_measured_and_not_in_the_way() -> None:
    machine = Machine()
    found = tune(MODEL, WHOLE, (1,), (("set_denormal_as_zero", True),), machine.footprint, machine.pace)
    assert {choice.profile.stated for choice in machine.measured} == {(("set_denormal_as_zero", True),)}
    assert found.front[0].way.profile == Profile()


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=9), st.integers(1, 4))
def test_the_best_is_never_slower_than_the_usual_way_and_progress_only_grows(noise: list[float], cores: int) -> None:
    machine = Machine({"apart": 300}, {"apart": 2.5}, noise=tuple(noise))
    found = machine.tune(replace(MODEL, split=True), SPLIT, tuple(range(1, cores + 1)))
    assert found.front[0].rtf is not None
    assert found.usual.rtf is not None
    assert found.front[0].rtf <= found.usual.rtf * (1 + found.tolerance)
    assert machine.told == sorted(machine.told)
    assert max(machine.told) <= 1
