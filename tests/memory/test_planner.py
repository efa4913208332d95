"""Plans against brute force over all combinations, and the sentences about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines import Entry
from lowvox.memory.options import CAPS, Need, Option, Prices, Rank, options
from lowvox.memory.planner import MB, Plan, most, offer, plan, refusal
from lowvox.types import Choice, Footprint, Model, Placement, Profile, Role

BASE = (("audio libraries", 7), ("lowvox itself", 13))
THERE = 20
ROLES: tuple[Role, ...] = ("recognizer", "synthesizer", "vad")


def entry(
    role: Role = "recognizer",
    placements: tuple[Placement, ...] = ("worker", "in-process"),
    capacity: int | None = None,
    runs: int = 1,
    profiles: tuple[Profile, ...] = (Profile(),),
) -> Entry:
    return Entry(
        role=role,
        at="",
        placements=placements,
        package="",
        extra=None,
        licence="",
        brings="",
        capacity=capacity,
        runs=runs,
        profiles=profiles,
    )


@dataclass
class World:
    """Engines, models and what they take; counts what is asked."""

    needs: list[Need]
    entries: dict[str, Entry]
    sizes: dict[Choice, Footprint]
    floors: dict[str, int] = field(default_factory=dict)
    asked: list[Choice] = field(default_factory=list)

    def footprint(self, choice: Choice) -> Footprint:
        self.asked.append(choice)
        return self.sizes[choice]

    def floor(self, model: Model) -> int:
        return self.floors.get(model.name, 0)

    def plan(self, budget: int | None, *, thorough: bool = False, cores: int | None = None) -> Plan:
        self.asked.clear()
        return plan(
            self.needs,
            budget,
            BASE,
            self.footprint,
            self.entries.__getitem__,
            floor=self.floor,
            cores=cores,
            thorough=thorough,
        )

    def combinations(self) -> list[tuple[tuple[object, ...], int]]:
        """Every combination as (how good, bytes in all); less is better."""
        groups = [options(need, self.entries.__getitem__) for need in self.needs]
        return [self.worth(combination) for combination in product(*groups)]

    def worth(self, combination: tuple[Option, ...]) -> tuple[tuple[object, ...], int]:
        total = THERE + sum(self.peak(option) for option in combination)
        wishes = [option.rank[wish] for wish in range(len(Rank._fields)) for option in combination]
        paces = [round(self.size(option).rtf, 2) for option in combination]
        return (*wishes, *paces, total), total

    def size(self, option: Option) -> Footprint:
        choice = option.choice
        return self.sizes[replace(choice, cap=None)]

    def peak(self, option: Option) -> int:
        """One resident after the other, each with its streams."""
        took, left, total = self.size(option), option.need.streams, 0
        while left > 0:
            here = min(left, option.capacity)
            total += took.peak(here, option.choice.runs, option.choice.cap) - (took.shared if total else 0)
            left -= here
        return total

    def measured(self, found: Plan) -> tuple[tuple[object, ...], int]:
        """How good a plan is, in the terms of `worth`."""
        groups = [options(need, self.entries.__getitem__) for need in self.needs]
        chosen = [
            next(option for option in group if option.choice == part.choice)
            for group, part in zip(groups, found.parts, strict=True)
        ]
        return self.worth(tuple(chosen))


@st.composite
def footprints(draw: st.DrawFn, role: Role) -> Footprint:
    work = draw(st.integers(0, 30))
    longest = CAPS.get(role, (0.0,))[0]
    resident = draw(st.integers(1, 60))
    return Footprint(
        resident=resident,
        stream=draw(st.integers(0, 10)),
        work=work,
        load_s=0.1,
        slope=draw(st.sampled_from([0.0, 0.5, 1.0])) * work / longest if longest else 0.0,
        longest=longest,
        rtf=draw(st.sampled_from([0.0, 0.101, 0.104, 0.2])),
        shared=draw(st.integers(0, resident - 1)),
    )


@st.composite
def worlds(draw: st.DrawFn, *, floors: bool = True) -> World:
    world = World([], {}, {})
    for role in ROLES[: draw(st.integers(1, 3))]:
        models = []
        for number in range(draw(st.integers(1, 3 if role != "vad" else 1))):
            name = f"{role}-{number}"
            world.entries[name] = entry(
                role,
                draw(st.sampled_from([("worker",), ("in-process",), ("worker", "in-process")])),
                draw(st.sampled_from([None, 1, 2])),
                draw(st.integers(1, 3)),
                draw(st.sampled_from([(Profile(),), (Profile("two", 2), Profile()), (Profile(), Profile("mapped"))])),
            )
            # The second may be a variant of the first: as good as it.
            called = draw(st.sampled_from([name, f"{role}-0"]))
            models.append(Model(called, name, role, (), variant=name))
        world.needs.append(Need(role, tuple(models), draw(st.integers(1, 4))))
    for need in world.needs:
        for model in need.models:
            known = world.entries[model.engine]
            for profile, placement, runs in product(known.profiles, known.placements, range(1, known.runs + 1)):
                world.sizes[Choice(model, profile, placement, runs)] = draw(footprints(need.role))
    if floors:
        for need in world.needs:
            for option in options(need, world.entries.__getitem__):
                name = option.choice.model.name
                world.floors[name] = min(world.floors.get(name, 40), world.peak(option))
    return world


def test_a_split_model_has_profiles_of_its_own_and_a_bounded_engine_one_cap() -> None:
    window = Profile(window=64)
    known = replace(entry("synthesizer"), windows=(window,), bounded=True)
    for split, profile in ((False, Profile()), (True, window)):
        need = Need("synthesizer", (Model("m", "e", "synthesizer", (), split=split),))
        found = {(option.choice.profile, option.choice.cap) for option in options(need, lambda _: known)}
        assert found == {(profile, None)}


BUDGETS = st.integers(0, 500)


@given(worlds(), BUDGETS)
def test_the_best_of_all_combinations(world: World, budget: int) -> None:
    fitting = [worth for worth, total in world.combinations() if total <= budget]
    found = world.plan(budget)
    assert found.fits == bool(fitting)
    assert len(world.asked) == len(set(world.asked))  # nothing is measured twice
    if found.fits:
        worth, total = world.measured(found)
        assert worth == min(fitting)
        assert found.peak == total <= budget
        assert sum(part.peak for part in found.parts) + THERE == found.peak
        assert all(0 < part.resident <= part.peak for part in found.parts)


@given(worlds(), BUDGETS)
def test_what_does_not_fit_names_the_smallest_that_does(world: World, budget: int) -> None:
    found = world.plan(budget)
    smallest = min(total for _, total in world.combinations())
    if found.fits:
        return
    assert found.smallest is not None
    if all(part.measured for part in found.parts):
        assert found.peak == found.smallest == smallest
        assert world.plan(smallest).parts == found.parts
        assert world.plan(smallest).fits
        assert not world.plan(smallest - 1).fits
    else:
        assert budget < found.smallest <= smallest
        assert "The files of" in str(refusal(found))


@given(worlds(), st.one_of(st.none(), BUDGETS))
def test_thorough_plans_are_the_same_and_know_the_smallest(world: World, budget: int | None) -> None:
    found, told = world.plan(budget), world.plan(budget, thorough=True)
    assert told.smallest == min(total for _, total in world.combinations())
    assert all(part.measured for part in told.parts)
    assert told.fits == found.fits
    if found.fits:
        assert [part.choice for part in told.parts] == [part.choice for part in found.parts]


@given(worlds(), BUDGETS, BUDGETS)
def test_more_budget_is_never_worse(world: World, one: int, other: int) -> None:
    less, more = world.plan(min(one, other)), world.plan(max(one, other))
    assert more.fits >= less.fits
    if less.fits:
        assert world.measured(more)[0] <= world.measured(less)[0]


@given(
    worlds(), st.dictionaries(st.sampled_from([f"{role}-{n}" for role in ROLES for n in range(3)]), BUDGETS), BUDGETS
)
def test_a_floor_that_is_too_high_costs_a_model_and_nothing_else(
    world: World, floors: dict[str, int], budget: int
) -> None:
    world.floors = floors
    found = world.plan(budget)
    assert found.fits <= (found.peak <= budget)
    assert not [choice for choice in world.asked if found.fits and world.floor(choice.model) > budget - THERE]


@given(worlds(floors=False), st.integers(1, 6), BUDGETS)
def test_jobs_at_once(world: World, jobs: int, budget: int) -> None:
    one = world.plan(budget)
    count = most(world.needs, jobs, budget, BASE, world.footprint, world.entries.__getitem__)
    assert (count > 0) == one.fits
    assert count <= jobs
    assert most(world.needs, jobs, None, BASE, world.footprint, world.entries.__getitem__) == jobs
    if count > 1:
        many = [Need(need.role, need.models, need.streams * count) for need in world.needs]
        together = plan(many, budget, BASE, world.footprint, world.entries.__getitem__)
        assert together.peak <= budget
        for part, alone in zip(together.parts, one.parts, strict=True):
            assert part.choice.cap == alone.choice.cap


# What follows has figures like those of the engines of today.


def model(name: str, role: Role = "recognizer", rate: float | None = None, variant: str = "default") -> Model:
    return Model(name, name, role, (), error_rate=rate, variant=variant)


def size(resident: float, work: float = 0, *, stream: float = 0, shared: float = 0, rtf: float = 0.3) -> Footprint:
    return Footprint(
        resident=round(resident * MB),
        stream=round(stream * MB),
        work=round(work * MB),
        load_s=1.0,
        slope=work * MB / 15,
        longest=15.0,
        rtf=rtf,
        shared=round(shared * MB),
    )


LARGE, SMALL, VAD = model("large", rate=5.7), model("small"), model("vad", "vad")
ENTRIES = {
    "large": entry(placements=("worker",), runs=4),
    "small": entry(capacity=1),
    "vad": entry("vad", ("in-process",), runs=8),
}
SIZES: dict[tuple[str, Placement], Footprint] = {
    ("large", "worker"): size(300, 50, stream=10),
    ("small", "worker"): size(105, 24, shared=30),
    ("small", "in-process"): size(100, 24, shared=30),
    ("vad", "in-process"): size(5),
}
NEEDS = (Need("vad", (VAD,)), Need("recognizer", (LARGE, SMALL)))
OVERHEAD = (("audio libraries", 20 * MB), ("lowvox itself", 14 * MB))


def planned(
    budget: float | None,
    needs: tuple[Need, ...] = NEEDS,
    floor: Callable[[Model], int] = lambda _: 0,
    cores: int | None = None,
    entries: dict[str, Entry] = ENTRIES,
    asked: list[Choice] | None = None,
) -> Plan:
    def footprint(choice: Choice) -> Footprint:
        if asked is not None:
            asked.append(choice)
        return SIZES[choice.model.name, choice.placement]

    limit = None if budget is None else round(budget * MB)
    return plan(needs, limit, OVERHEAD, footprint, entries.__getitem__, floor=floor, cores=cores)


def test_with_room_one_measurement_a_role_is_enough() -> None:
    asked: list[Choice] = []
    found = planned(1000, asked=asked)
    assert [choice.model.name for choice in asked] == ["vad", "large"]
    assert (found.peak, found.gives, found.smallest) == ((34 + 5 + 360) * MB, (), None)


def test_without_a_budget_nothing_is_measured() -> None:
    asked: list[Choice] = []
    found = planned(None, asked=asked, floor=lambda model: len(model.name))
    assert asked == []
    assert [(part.choice.model.name, part.measured) for part in found.parts] == [("vad", False), ("large", False)]
    assert found.fits
    assert found.peak == 34 * MB + len("vad") + len("large")


def test_what_cannot_fit_by_its_files_is_not_measured() -> None:
    asked: list[Choice] = []
    found = planned(200, asked=asked, floor=lambda model: 280 * MB if model is LARGE else 0)
    assert LARGE not in [choice.model for choice in asked]
    assert found.gives == ("large (error rate 5.7 %) has files of 280 MB alone",)


def test_quality_is_given_up_last() -> None:
    tight = planned(34 + 5 + 310 + 50 * 6 / 15)
    assert (tight.parts[1].choice.model, tight.parts[1].choice.cap) == (LARGE, 6.0)
    assert tight.gives == ("utterances are cut at 6 s, not 15: saves 30 MB",)
    assert planned(200).gives == ("large (error rate 5.7 %) would need 369 MB",)


def test_a_shorter_cap_comes_before_a_model_and_after_everything_else() -> None:
    inside = planned(34 + 5 + 124)
    assert (inside.parts[1].choice.placement, inside.parts[1].choice.cap) == ("in-process", None)
    assert inside.gives[1:] == ("small runs in lowvox's own process: saves 5 MB",)
    cut = planned(34 + 5 + 105 + 16)
    assert (cut.parts[1].choice.placement, cut.parts[1].choice.cap) == ("worker", 10.0)


def test_nothing_fits() -> None:
    found = planned(100)
    assert not found.fits
    assert found.smallest == found.peak == round((34 + 5 + 100 + 24 * 6 / 15) * MB)
    error = refusal(found)
    assert str(error) == (
        "This needs 149 MB at its peak (vad 5, small 110, audio libraries 20, lowvox itself 14) and the budget is 100 "
        "MB; nothing was loaded. Give it --budget 152MB or more; `lowvox fit` tells what that gives up."
    )
    assert (error.needed, error.budget, error.exit_code) == (found.smallest, 100 * MB, 3)
    assert planned(offer(found.smallest)).fits


def test_less_than_lowvox_itself() -> None:
    found = planned(1)
    assert found.smallest is not None
    assert planned(offer(found.smallest)).fits
    alone = planned(1, needs=NEEDS[:1])
    assert "; `lowvox fit`" not in str(refusal(alone))
    assert "the budget is 1 MB" in str(refusal(alone))


def test_a_model_too_large_to_measure_is_refused_by_its_files() -> None:
    asked: list[Choice] = []
    needs = (Need("recognizer", (LARGE,)),)
    found = planned(100, needs, floor=lambda _: 1800 * MB, asked=asked)
    assert asked == []
    assert (found.fits, found.parts[0].measured) == (False, False)
    assert str(refusal(found)) == (
        "The files of large have 1800 MB and the budget is 100 MB; nothing was loaded. Take a smaller model (`lowvox "
        "models`) or a larger --budget."
    )


def test_a_voice_that_could_be_split_is_told_so(tmp_path: Path) -> None:
    for split, says in ((False, True), (True, False)):
        model = Model("amy", "piper", "synthesizer", (), tmp_path, split=split)
        found = plan((Need("synthesizer", (model,)),), 100 * MB, (), lambda _: Footprint(900 * MB, 0, 0, 1.0))
        assert str(refusal(found)).endswith("Split, the voice takes far less: `lowvox shrink split amy`.") == says


def test_streams_share_a_resident_as_its_capacity_allows() -> None:
    three = planned(1000, (Need("recognizer", (SMALL,), 3),))
    assert (three.parts[0].residents, three.parts[0].choice.runs) == (3, 1)
    assert three.parts[0].peak == 3 * 129 * MB - 2 * 30 * MB
    assert three.parts[0].resident == 3 * 105 * MB - 2 * 30 * MB
    shared = planned(1000, (Need("recognizer", (LARGE,), 3),))
    assert (shared.parts[0].choice.runs, shared.parts[0].peak) == (3, (300 + 3 * 10 + 3 * 50) * MB)


def test_fewer_runs_at_once_when_memory_or_cores_are_short() -> None:
    need = (Need("recognizer", (LARGE,), 3),)
    short = planned(34 + 430, need)
    assert short.parts[0].choice.runs == 2
    assert short.gives == ("2 of 3 streams of large work at once, not 3: saves 50 MB",)
    assert planned(1000, need, cores=2).parts[0].choice.runs == 2
    assert planned(1000, need, cores=2).gives == ()
    assert planned(1000, (Need("recognizer", (LARGE,), 9),)).parts[0].choice.runs == 4


def test_threads_before_runs_and_each_run_has_its_cores() -> None:
    profiles = (Profile(), Profile("four", 4))
    entries = ENTRIES | {"large": entry(placements=("worker",), runs=4, profiles=profiles)}
    need = (Need("recognizer", (LARGE,), 3),)
    assert planned(None, need, cores=8, entries=entries).parts[0].choice == Choice(LARGE, profiles[1], runs=2)
    assert planned(1000, need, cores=1, entries=entries).parts[0].choice.runs == 1


def test_fewer_threads_where_they_take_less() -> None:
    def footprint(choice: Choice) -> Footprint:
        return size(100 + 20 * choice.profile.threads)

    entries = {"vad": entry("vad", ("in-process",), profiles=(Profile("two", 2), Profile()))}
    found = plan([NEEDS[0]], 130 * MB, (), footprint, entries.__getitem__)
    assert found.parts[0].choice.profile.threads == 1
    assert found.gives == ("vad has threads=1, not 2: saves 20 MB",)


def test_the_better_place_may_be_in_process() -> None:
    def footprint(choice: Choice) -> Footprint:
        return size(10 if choice.placement == "worker" else 20)

    entries = {"vad": entry("vad", ("in-process", "worker"))}
    found = plan([NEEDS[0]], 15 * MB, (), footprint, entries.__getitem__)
    assert found.gives == ("vad runs in a process of its own: saves 10 MB",)


def test_variants_are_told_apart_by_speed_then_by_size() -> None:
    def footprint(choice: Choice) -> Footprint:
        return {"fp32": size(80, rtf=0.3), "int8": size(30, rtf=0.2), "int4": size(20, rtf=0.204)}[choice.model.variant]

    variants = tuple(model("voice", "synthesizer", 5.0, variant) for variant in ("fp32", "int8", "int4"))
    entries = {"voice": entry("synthesizer", ("worker",))}
    need = Need("synthesizer", variants)
    assert plan([need], 100 * MB, (), footprint, entries.__getitem__).parts[0].choice.model.variant == "int4"
    better = Need("synthesizer", (variants[0], model("voice", "synthesizer", 6.0, "int8")))
    found = plan([better], 50 * MB, (), footprint, entries.__getitem__)
    assert found.gives == ("voice fp32 (error rate 5 %) would need 80 MB",)


def test_sentences_are_cut_by_characters() -> None:
    def footprint(choice: Choice) -> Footprint:
        return Footprint(10 * MB, 0, 40 * MB, 1.0, slope=MB / 10, longest=400.0)

    entries = {"voice": entry("synthesizer", ("worker",))}
    need = Need("synthesizer", (model("voice", "synthesizer"),))
    found = plan([need], 30 * MB, (), footprint, entries.__getitem__)
    assert found.gives == ("sentences are cut at 200 characters, not 400: saves 20 MB",)


def test_how_many_jobs() -> None:
    def count(budget: float | None, jobs: int = 3) -> int:
        limit = None if budget is None else round(budget * MB)
        sizes = lambda choice: SIZES[choice.model.name, choice.placement]  # noqa: E731
        return most(NEEDS, jobs, limit, OVERHEAD, sizes, ENTRIES.__getitem__)

    assert [count(budget) for budget in (100, 399, 409, 419, 1000, None)] == [0, 1, 2, 3, 3, 3]
    assert count(200) == 1  # two jobs would lose what one has
    asked: list[Choice] = []

    def footprint(choice: Choice) -> Footprint:
        asked.append(choice)
        return SIZES[choice.model.name, choice.placement]

    assert most(NEEDS, 3, 1000 * MB, OVERHEAD, footprint, ENTRIES.__getitem__) == 3
    assert [choice.runs for choice in asked] == [3, 3]  # as they will run, and nothing else


def test_the_longest_inputs_are_those_of_the_roles() -> None:
    from lowvox.audio.utterances import Limits
    from lowvox.text.sentences import CAP

    assert {role: caps[0] for role, caps in CAPS.items()} == {"recognizer": Limits().longest_s, "synthesizer": CAP}


def test_an_enormous_number_of_streams_is_planned_at_once() -> None:
    found = planned(1000, (Need("recognizer", (SMALL, LARGE), 10**9),))
    assert not found.fits
    assert found.smallest is not None
    assert found.smallest > 10**9 * MB


def test_no_needs_no_parts() -> None:
    assert planned(100, ()).peak == 34 * MB
    assert not planned(10, ()).fits
    with pytest.raises(AssertionError):
        refusal(planned(None, ()))


def test_prices_never_measure_to_compare() -> None:
    def never(choice: Choice) -> Footprint:
        raise AssertionError(choice)

    (option, *_) = options(NEEDS[1], ENTRIES.__getitem__)
    prices = Prices(never, lambda _: 5)
    assert (prices.known(option), prices.least(option), prices.size(option)) == (False, 0, 5)


def test_a_footprint_that_fails_is_not_swallowed() -> None:
    def fails(choice: Choice) -> Footprint:
        raise MemoryError(choice.model.name)

    with pytest.raises(MemoryError, match="vad"):
        plan(NEEDS, 100 * MB, (), fails, ENTRIES.__getitem__)
