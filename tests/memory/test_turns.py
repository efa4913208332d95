from __future__ import annotations

import os
import threading
from io import BytesIO

import pytest

from lowvox.memory.turns import Turns
from lowvox.memory.wire import Lane


def lane() -> Lane:
    return Lane(BytesIO(), BytesIO(), memoryview(b""))


def in_line(turns: Turns, count: int) -> None:
    """Wait until that many threads wait."""
    while len(turns._waiting) < count:
        os.sched_yield()


def test_they_are_lent_to_one_caller_each() -> None:
    lanes = [lane(), lane()]
    turns = Turns(list(lanes))
    assert {turns.take(), turns.take()} == set(lanes)
    turns.give(lanes[0])
    assert turns.take() is lanes[0]


def test_in_the_order_of_asking() -> None:
    """Also before one who gives and asks again at once."""
    turns, served = Turns([lane()]), []
    mine = turns.take()

    def ask(number: int) -> None:
        taken = turns.take()
        served.append(number)
        turns.give(taken)

    threads = []
    for number in range(6):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        in_line(turns, number + 1)
    turns.give(mine)
    mine = turns.take()
    served.append(6)
    turns.give(mine)
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4, 5, 6]


def test_closing_sends_away_who_waits_and_closes_what_is_free() -> None:
    free, lent = lane(), lane()
    turns, sent_away = Turns([free, lent]), []
    assert turns.take() is lent
    turns.take()

    def ask() -> None:
        try:
            turns.take()
        except EOFError:
            sent_away.append(1)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    in_line(turns, 3)
    turns.close()
    for thread in threads:
        thread.join()
    assert len(sent_away) == 3
    turns.give(free)
    turns.close()
    assert [one._incoming.closed for one in (free, lent)] == [True, False]
    turns.give(lent)
    assert lent._incoming.closed
    with pytest.raises(EOFError):
        turns.take()
