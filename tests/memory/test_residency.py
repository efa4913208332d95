"""What models in memory are charged with."""

from __future__ import annotations

from lowvox.memory.residency import Held, Seat, State, Want
from lowvox.types import Choice, Footprint, Model

SIZE = Footprint(resident=100, stream=10, work=5, load_s=1.0, slope=0.5, longest=10.0, shared=30)


def held(number: int = 1, *, leased: int = 0, idle: int = 0, runs: int = 2, cap: float | None = None) -> Held:
    model = Model("voice", "fake", "synthesizer", ())
    seats = [Seat(seat, (), ticket=7, open=True) for seat in range(leased)]
    seats += [Seat(leased + seat, (), ticket=None, open=True) for seat in range(idle)]
    return Held(number, Want(Choice(model, runs=runs, cap=cap), SIZE), tuple(seats), "ready")


def test_at_rest_a_model_takes_itself_and_its_streams() -> None:
    assert held(idle=3).at_rest == held(idle=3).charge == 130
    assert not held(idle=3).busy


def test_at_work_it_takes_the_work_of_those_that_may_run_at_once() -> None:
    assert held(leased=1, idle=1).charge == 120 + 5
    assert held(leased=3).charge == 130 + 2 * 5
    assert held(leased=1).busy


def test_shorter_inputs_take_less_work() -> None:
    assert held(leased=1, cap=4.0).charge == 110 + 2


def test_what_was_measured_beyond_the_footprint_counts() -> None:
    grown = Held(1, held(idle=1).want, held(idle=1).seats, "ready", excess=7)
    assert grown.at_rest == 117


def test_the_state_takes_all_of_it_and_what_is_left_behind() -> None:
    state = State(room=150, base=20, overhead=5, residue=3, helds=(held(leased=1),))
    assert state.charge == 28 + 115
    assert not state.full
    assert State(room=142, base=28, helds=state.helds).full
    assert not State(base=10**9, helds=state.helds).full


def test_file_pages_that_two_processes_share_count_once() -> None:
    state = State(helds=(held(1, idle=1), held(2, idle=1), held(3, idle=1, runs=1)))
    assert state.charge == 3 * 110 - 30  # the third is run in another way, and shares nothing that is known


def test_a_held_model_is_found_by_its_number() -> None:
    state = State(helds=(held(4),))
    assert state.find(4) is state.helds[0]
    assert state.find(5) is None
