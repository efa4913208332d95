"""What `lowvox leaks` shows: every figure in it follows from the turns."""

from __future__ import annotations

import json

import msgspec
import pytest

from lowvox.memory.cycles import Cycle
from lowvox.memory.exercise import Held, Lifetime
from lowvox.memory.leaks import Finding, judge
from lowvox.report import leaks as report
from lowvox.types import Model

MB = 2**20
MODEL = Model("mumble-en", "mumble", "recognizer", ("en",))
CIRCLE = Cycle(("Stream", "Stream", "dict"), 320, ("Stream.a", "Stream.b", "dict.c", "list"))


def flat(lifetime: Lifetime, *cycles: Cycle) -> Finding:
    return judge(lifetime, Held(10 * MB, (12 * MB,) * 12, cycles))


def growing(lifetime: Lifetime) -> Finding:
    return judge(lifetime, Held(10 * MB, tuple(12 * MB + turn * 102_400 for turn in range(12)), ()))


def tossed(lifetime: Lifetime) -> Finding:
    return judge(lifetime, Held(10 * MB, (12 * MB, 20 * MB) * 6, ()))


def test_nothing_leaks() -> None:
    assert report.text(MODEL, [flat("load"), flat("run")]) == (
        "mumble-en: memory after each of 12 turns\n"
        "  load, run and unload      12 ->     12 MB  no growth (95 % interval 0.0 to 0.0 KB)\n"
        "  run one open stream       12 ->     12 MB  no growth (95 % interval 0.0 to 0.0 KB)\n"
        "Reference cycles that a turn leaves to Python's collector:\n"
        "  none\n"
        "It gives its memory back.\n"
    )


def test_a_leak_its_size_and_what_helps() -> None:
    shown = report.text(MODEL, [growing("load"), flat("worker")])
    assert "12 ->   13.1 MB  grows by 100.0 KB a turn (95 % interval 100.0 to 100.0 KB)" in shown
    assert shown.endswith("It leaks; only the end of its process gives that back.\n")
    assert report.text(MODEL, [growing("load"), growing("worker")]).endswith("a worker does not help.\n")


def test_what_is_not_sure_is_said() -> None:
    shown = report.text(MODEL, [tossed("load")])
    assert "undecided (95 % interval " in shown
    assert shown.endswith("run it with more turns (-n).\n")
    few = judge("load", Held(0, (1, 2, 3, 4), ()))
    assert "undecided (too few turns to tell): run more turns" in report.text(MODEL, [few])


def test_cycles_that_are_alike_are_counted() -> None:
    shown = report.text(MODEL, [flat("load", CIRCLE, CIRCLE), flat("stream", CIRCLE)])
    assert "  2 x 2 Stream, 1 dict (320 bytes), held by Stream.a, Stream.b, dict.c, ...\n" in shown


def test_json() -> None:
    found = json.loads(msgspec.json.encode(report.document(MODEL, [growing("load"), flat("stream", CIRCLE)])))
    assert (found["model"], found["engine"], found["turns"], found["verdict"]) == ("mumble-en", "mumble", 12, "grows")
    assert [part["resident_mb"] for part in found["parts"]] == [10, 2, 1.07]
    assert sum(part["resident_mb"] for part in found["parts"]) + found["unattributed_mb"] == pytest.approx(13.07)
    load, stream = found["growth"]
    assert (load["lifetime"], load["verdict"], load["before_mb"]) == ("load", "grows", 10)
    assert (load["kb_per_turn"], load["low_kb"], load["high_kb"]) == (100, 100, 100)
    assert stream["after_mb"] == [12] * 12
    assert found["cycles"] == [
        {"count": 1, "types": list(CIRCLE.types), "size": CIRCLE.size, "holders": list(CIRCLE.holders)}
    ]


def test_json_of_too_few_turns() -> None:
    found = report.document(MODEL, [judge("load", Held(0, (1, 2, 3, 4), ()))])
    assert found["growth"][0]["low_kb"] is None
    assert found["growth"][0]["high_kb"] is None
    assert found["parts"][2].resident_mb == 0


def test_picture() -> None:
    pytest.importorskip("matplotlib", reason="needs the plot extra")
    series = {f"$way {number}": growing("load").held for number in range(9)}
    assert report.png("a $title$ with 100 %", series).startswith(b"\x89PNG")
