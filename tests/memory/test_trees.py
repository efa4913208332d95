"""What trees promise each other holds between real processes, whatever kills them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.memory import running
from lowvox.memory.trees import WISH_S, Tree
from lowvox.types import Holding

pytestmark = pytest.mark.usefixtures("home")
HOLDING = Holding("a", "vad", "worker", 7, "idle", 5, 9, 1, 0, 0.5, -1, True)


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


def total() -> int:
    return sum(state.reserved for state in running.read())


def test_a_reservation_is_all_of_it_not_what_is_added() -> None:
    one, other = Tree(), Tree()
    assert one.reserve(60, 100) == 0
    assert one.reserve(80, 100) == 0
    assert total() == 80
    assert other.reserve(50, 100) == 30
    assert total() == 80
    assert one.reserve(50, 100) == 0
    assert other.reserve(50, 100) == 0
    one.close()
    assert total() == 50
    other.close()
    other.close()
    assert running.read() == ()


def test_the_smallest_budget_rules() -> None:
    one, other = Tree(), Tree()
    assert one.reserve(60, 100) == 0
    assert other.reserve(10, 50) == 20  # what is reserved already is more than this one may allow
    assert one.reserve(90, 100) == 0  # and who got nothing has no say
    assert one.reserve(30, 100) == 0
    assert other.reserve(10, 50) == 0
    assert one.reserve(50, 100) == 10
    assert total() == 40


def test_too_much_for_ever_asks_nobody() -> None:
    one, other = Tree(), Tree()
    one.reserve(60, 100)
    assert other.reserve(120, 100) == 80
    assert one.wanted() == 0


def test_a_wish_is_heard_until_it_is_met_or_forgotten() -> None:
    clock = Clock()
    one, other = Tree(clock), Tree(clock)
    one.reserve(60, 100)
    assert other.reserve(70, 100) == 30
    assert (one.wanted(), other.wanted()) == (30, 0)
    clock.now += WISH_S - 1
    other.publish(base=4)  # which is no wish
    assert one.wanted() == 30
    clock.now += 2
    assert one.wanted() == 0
    assert other.reserve(70, 100) == 30
    one.reserve(30, 100)
    assert other.reserve(70, 100) == 0
    assert one.wanted() == 0


def test_who_takes_less_has_less_even_where_it_still_does_not_fit() -> None:
    one, other = Tree(), Tree()
    one.reserve(40, 100)
    other.reserve(60, 100)
    assert other.reserve(30, 50) == 20
    assert total() == 70


def test_private_budgets_are_shown_and_take_no_part() -> None:
    private, shared = Tree(), Tree()
    private.publish(budget=500, base=20, holdings=(HOLDING,))
    assert shared.reserve(100, 100) == 0
    (state,) = running.read()
    assert sorted((claim.budget, claim.shared, claim.reserved) for claim in state.claims.values()) == [
        (100, True, 100),
        (500, False, 0),
    ]
    shared.publish(budget=None, base=5)  # the budget that is shared stays what it was
    assert {claim.budget for claim in running.read()[0].claims.values()} == {100, 500}
    assert private.others() == ()  # both live in this process


def test_nothing_is_written_while_only_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    tree = Tree(clock)
    tree.publish(base=1, holdings=(HOLDING,))
    clock.now += 5
    with monkeypatch.context() as patch:
        patch.setattr(running, "write", lambda _: pytest.fail("written"))
        tree.publish(base=1, holdings=(replace(HOLDING, idle_s=5.5),))
    tree.publish(base=1, holdings=(replace(HOLDING, status="leased"),))
    (claim,) = running.read()[0].claims.values()
    assert (claim.when, claim.holdings[0].status) == (clock.now, "leased")


def test_a_claim_that_nobody_was_told_of_leaves_no_trace() -> None:
    Tree().close()
    assert not running.folder().exists()


@pytest.mark.parametrize("kind", ["file in the way", "folder in the way"])
def test_a_folder_that_cannot_be_used_is_told_once(home: Path, kind: str) -> None:
    running.folder().parent.mkdir(parents=True)
    if kind == "file in the way":
        running.folder().write_text("")
    else:
        (running.folder() / f"{os.getpid()}.part").mkdir(parents=True)
    notes: list[str] = []
    tree = Tree(on_note=notes.append)
    assert tree.reserve(60, 100) == 0
    assert tree.reserve(160, 100) in (0, 60)
    tree.publish(base=1)
    tree.close()
    (note,) = notes
    assert "no budget is shared" in note
    assert str(running.folder()) in note
    assert tree.wanted() == 0


def test_a_disk_that_fills_up_leaves_the_last_word_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    tree = Tree(on_note=notes.append)
    tree.reserve(60, 100)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert tree.reserve(30, 100) == 0
    assert total() == 60
    assert "No space left on device" in notes[0]
    assert tree.reserve(20, 100) == 0  # and when there is space again it goes on
    assert total() == 20


def test_a_forked_child_speaks_for_itself() -> None:
    tree = Tree()
    tree.reserve(60, 100)
    tree._pid += 1
    assert tree.reserve(10, 100) == 0
    tree.close()
    assert total() == 60


def test_threads_of_one_manager_lose_nothing() -> None:
    tree = Tree()
    tree.reserve(0, 1000)

    def publish(start: int) -> None:
        for base in range(start, start + 20):
            tree.publish(base=base)

    threads = [threading.Thread(target=publish, args=(start,)) for start in (1, 100)]
    for thread in threads:
        thread.start()
    for size in range(1, 21):
        assert tree.reserve(size, 1000) == 0
    for thread in threads:
        thread.join()
    assert total() == 20


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120), st.integers(1, 150)), max_size=15))
def test_the_sum_never_passes_the_smallest_budget(steps: list[tuple[int, int, int]]) -> None:
    claims = [Tree() for _ in range(4)]
    for which, size, budget in steps:
        before = total()
        missing = claims[which].reserve(size, budget)
        sharing = [claim for state in running.read() for claim in state.claims.values() if claim.shared]
        assert total() <= min((claim.budget or 0 for claim in sharing), default=0)
        assert missing or total() <= budget
        assert not missing or total() <= before
    for claim in claims:
        claim.close()


# Takes and gives back at random; tells when it has got something, and before it gives something back.
HAMMER = """
import os, random, sys
from lowvox.memory.trees import Tree
seed, budget, rounds, log = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
chance = random.Random(seed)
file = os.open(log, os.O_WRONLY | os.O_APPEND)
tree, has = Tree(on_note=lambda note: sys.exit(note)), 0
for turn in range(rounds):
    wish = chance.randrange(budget)
    if wish < has:
        os.write(file, f"{seed} {wish}\\n".encode())
    if tree.reserve(wish, budget) == 0 and wish > has:
        os.write(file, f"{seed} {wish}\\n".encode())
        has = wish
    else:
        has = min(has, wish)
    if turn == 20:
        print("half way", flush=True)
os.write(file, f"{seed} 0\\n".encode())
tree.close()
"""


def test_processes_that_hammer_and_one_that_is_killed(tmp_path: Path) -> None:
    """The log holds less than the truth at each moment: it is told after taking and before giving back."""
    log = tmp_path / "log"
    log.touch()
    budgets = {1: 1000, 2: 1000, 3: 900, 4: 1000}
    with ExitStack() as stack:
        hammers = {
            seed: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HAMMER, str(seed), str(budget), str(10**6 if seed == 4 else 60), str(log)],
                    stdout=subprocess.PIPE,
                )
            )
            for seed, budget in budgets.items()
        }
        victim = hammers.pop(4)
        assert victim.stdout
        assert victim.stdout.readline() == b"half way\n"
        victim.kill()  # at any point of what it does, the lock in its hand or not
        while any(hammer.poll() is None for hammer in hammers.values()):
            with running.exclusive():
                states = running.read()
                limits = [claim.budget or 0 for state in states for claim in state.claims.values() if claim.shared]
                assert sum(state.reserved for state in states) <= min(limits, default=0)
        assert [hammer.returncode for hammer in hammers.values()] == [0, 0, 0]
    lines = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    last = max((at for at, (seed, _) in enumerate(lines) if seed == 4), default=0)  # all its wishes may be refused
    held: dict[int, int] = defaultdict(int)
    for at, (seed, size) in enumerate(lines):
        held[seed] = size
        if at >= last:
            held[4] = 0  # it died at some time after its last word
        assert sum(held.values()) <= min([budgets[seed] for seed, size in held.items() if size], default=0)
    assert running.running() == ()
    assert [path.name for path in running.folder().iterdir()] == ["lock"]


def test_others_are_the_other_processes() -> None:
    program = "from lowvox.memory.trees import Tree; t = Tree(); print(t.reserve(70, 100), flush=True); input()"
    tree = Tree()
    assert tree.reserve(20, 100) == 0
    arguments = [sys.executable, "-c", program]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "0\n"
        (other,) = tree.others()
        assert (other.pid, other.reserved, other.command) == (process.pid, 70, "-c")
        assert tree.reserve(50, 100) == 20
        process.kill()
        process.wait()
        assert tree.others() == ()
        assert tree.reserve(50, 100) == 0
