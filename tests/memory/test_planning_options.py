"""The ways that tuning found, as a plan offers them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lowvox.engines import Entry
from lowvox.memory import tuned
from lowvox.memory.front import Way
from lowvox.memory.manager import Manager
from lowvox.memory.options import Need, options
from lowvox.memory.planner import Plan, plan
from lowvox.types import Choice, Footprint, Model, Profile

MODEL = Model("m", "m", "synthesizer", ("en",))
FAST, MIDDLE, SMALL = Profile("default", 2, 128), Profile("default", 1, 64), Profile("apart", 1, 16)
SIZES = {FAST: 300, MIDDLE: 200, SMALL: 100, Profile(): 250, Profile("apart", window=8): 50}
PLAIN = Entry("synthesizer", "", ("in-process", "worker"), "onnxruntime", None, "", "", runs=2, bounded=True)


def found(_: Model, most: int) -> tuple[Profile, ...]:
    return tuple(profile for profile in (FAST, MIDDLE, SMALL) if profile.threads <= most)


TUNED = replace(PLAIN, tuned=found)


def planned(budget: int | None, entry: Entry = TUNED, streams: int = 1, cores: int = 2) -> Plan:
    def footprint(choice: Choice) -> Footprint:
        return Footprint(SIZES[choice.profile], 0, 0, 0.1)

    return plan([Need("synthesizer", (MODEL,), streams)], budget, (), footprint, lambda _: entry, cores=cores)


def test_without_a_budget_the_fastest() -> None:
    (part,) = planned(None).parts
    assert (part.choice.profile, part.choice.placement, part.tuned) == (FAST, "in-process", True)
    assert not planned(None, PLAIN).parts[0].tuned


@pytest.mark.parametrize(("budget", "profile"), [(300, FAST), (299, MIDDLE), (199, SMALL), (100, SMALL)])
def test_within_a_budget_the_fastest_that_fits(budget: int, profile: Profile) -> None:
    found = planned(budget)
    assert found.fits
    assert found.parts[0].choice.profile == profile


def test_what_is_given_up_is_said() -> None:
    assert planned(199).gives == ("m runs as apart threads=1 window=16, not default threads=2 window=128",)
    assert not planned(99).fits


def test_where_nothing_that_was_tuned_fits_a_usual_way_may() -> None:
    least = Profile("apart", window=8)
    (part,) = planned(60, replace(TUNED, profiles=(Profile(), least))).parts
    assert (part.choice.profile, part.tuned) == (least, False)


def test_several_at_a_time_get_ways_that_leave_room_for_each_other() -> None:
    (part,) = planned(None, streams=2).parts
    assert (part.choice.profile, part.choice.runs) == (MIDDLE, 2)
    assert planned(None, streams=2, cores=4).parts[0].choice.profile == FAST


def test_a_model_that_was_not_tuned_runs_as_usual() -> None:
    (option, *_) = options(Need("synthesizer", (MODEL,)), lambda _: PLAIN)
    assert (option.choice.profile, option.tuned) == (Profile(), False)


@pytest.mark.parametrize(("threads", "name"), [(None, "no-arena"), (1, "varied"), (2, "no-arena")])
def test_a_manager_knows_them_with_what_was_stated(home: object, threads: int | None, name: str) -> None:
    model, stated = Model("lowvox-te", "lowvox-te", "punctuator", ("en",)), (("set_denormal_as_zero", True),)
    ways = [Way(Profile("no-arena", 2), 100, 0.1), Way(Profile("varied", 1), 50, 0.2)]
    tuned.keep(model, "onnxruntime", stated, ways, 0.05)
    manager = Manager(threads=threads, session=lambda: stated)
    try:
        first, *_ = manager.entry("lowvox-te").tuned(model, 8)
        assert (first.name, first.stated) == (name, stated)
        assert manager.entry("lowvox-te").tuned(replace(model, digest="x"), 8) == ()
    finally:
        manager.close()
