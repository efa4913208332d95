"""What tuning found is kept, found again by the same model on the same machine, and never believed when damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lowvox.memory import tuned
from lowvox.memory.front import Way
from lowvox.memory.ledger import Ledger, tuned_key
from lowvox.types import Model, Profile

MODEL = Model("m", "lowvox-te", "punctuator", ("en",), digest="abc")
FAST, SMALL = Way(Profile("default", 2, 64), 1000, 0.1), Way(Profile("no-arena", 2, 16), 700, 0.2)
ALONE, DULL = Way(Profile("default", 1, 64), 950, 0.18), Way(Profile("varied", 1, 64), 990, 0.3)
WAYS = (FAST, SMALL, ALONE, DULL)
PACKAGE = "onnxruntime"

pytestmark = pytest.mark.usefixtures("home")


def profiles(
    model: Model = MODEL, stated: tuple[tuple[str, object], ...] = (), threads: int | None = None, most: int = 8
) -> list[Profile]:
    return list(tuned.profiles(model, PACKAGE, stated, threads, most))


def kept() -> bool:
    return tuned.keep(MODEL, PACKAGE, (), WAYS, 0.05)


def test_the_front_comes_back_the_fastest_first() -> None:
    assert profiles() == []
    assert kept()
    assert profiles() == [FAST.profile, ALONE.profile, SMALL.profile]


def test_whoever_states_threads_or_has_fewer_gets_the_best_of_those() -> None:
    kept()
    assert profiles(threads=1) == profiles(most=1) == [ALONE.profile]
    assert profiles(threads=2, most=1) == [FAST.profile, SMALL.profile]
    assert profiles(threads=3) == []


def test_where_all_have_more_threads_the_fewest_serve() -> None:
    tuned.keep(MODEL, PACKAGE, (), (FAST, SMALL), 0.05)
    assert profiles(most=1) == [FAST.profile, SMALL.profile]


def test_what_was_stated_is_another_matter_and_stays_stated() -> None:
    stated = (("enable_cpu_mem_arena", False),)
    kept()
    assert profiles(stated=stated) == []
    tuned.keep(MODEL, PACKAGE, stated, (FAST,), 0.05)
    assert profiles(stated=stated) == [replace(FAST.profile, stated=stated)]


def test_another_model_or_package_knows_nothing_of_it() -> None:
    kept()
    assert profiles(replace(MODEL, digest="abd")) == []
    assert tuned.profiles(MODEL, "numpy", (), None, 8) == ()


def test_it_is_forgotten() -> None:
    kept()
    assert tuned.forget(MODEL, PACKAGE, ())
    assert not tuned.forget(MODEL, PACKAGE, ())
    assert profiles() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "{}",
        '{"tolerance": 0.1, "ways": []}',
        '{"tolerance": -1, "ways": [{"name": "default", "threads": 1, "window": null, "peak": 1, "rtf": 1}]}',
        '{"tolerance": 0.1, "ways": [{"name": "default", "threads": 0, "window": null, "peak": 1, "rtf": 1}]}',
    ],
)
def test_what_does_not_read_was_never_found(text: str) -> None:
    assert Ledger().tune(tuned_key(MODEL, (), PACKAGE), text)
    assert profiles() == []


def test_a_row_that_was_changed_is_not_believed() -> None:
    kept()
    with closing(sqlite3.connect(Ledger().path)) as database, database:
        database.execute("UPDATE tuned SET ways = replace(ways, 'default', 'varied')")
    assert profiles() == []


def test_a_ledger_that_cannot_be_written_keeps_nothing(home: Path) -> None:
    home.mkdir()
    (home / "cache").touch()
    assert not kept()
    assert profiles() == []
    assert not tuned.forget(MODEL, PACKAGE, ())
