from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.attribution import BASE, UNATTRIBUTED, Line
from lowvox.memory.meter import MB
from lowvox.memory.survey import Snapshot
from lowvox.report.holdings import NOTHING
from lowvox.report.live import frame, line, spark
from lowvox.types import Holding, Usage

VAD = Holding("silero-vad", "vad", "in-process", None, "leased", 9 * MB, 10 * MB, 1, 1, 0.0, 3600.0, False)
LINES = (Line(BASE, 28 * MB), Line("silero-vad", 12 * MB, VAD), Line(UNATTRIBUTED, 10 * MB))
SHOWN = Snapshot(4711, "lowvox dictate", 100 * MB, False, 0, Usage(50 * MB, 60 * MB, 40 * MB, 0), LINES)
NOW = 1e9


def test_the_picture() -> None:
    lines = frame([SHOWN], {4711: [(NOW - 300, 75 * MB)]}, NOW, (72, 24))
    assert lines == [
        "lowvox dictate (pid 4711): 50 MB of 100 MB",
        "  lowvox itself                            28.0  ██████░░░░░░░░░░░░░░░░",
        "  silero-vad              leased           12.0  ███░░░░░░░░░░░░░░░░░░░",
        "  unattributed                             10.0  ██░░░░░░░░░░░░░░░░░░░░",
        "  total                                    50.0  ███████████░░░░░░░░░░░",
        "  ten minutes, highest                     75.0             █         ▆",
        "",
    ]


def test_nothing_runs() -> None:
    assert frame([], {}, NOW) == [NOTHING]


def test_one_line_a_process_where_nothing_can_be_drawn() -> None:
    assert line(SHOWN, "12:00:00") == "12:00:00  lowvox dictate (pid 4711): 50 MB of 100 MB; 10 MB unattributed"


def test_more_than_the_screen_holds_is_cut() -> None:
    lines = frame([SHOWN] * 5, {}, NOW, (60, 10))
    assert len(lines) == 10
    assert lines[-1] == "..."


sizes = st.integers(0, 2**40)


@given(
    st.lists(st.tuples(st.floats(NOW - 2000, NOW + 100), sizes), max_size=40),
    st.integers(20, 200),
    st.integers(2, 60),
    st.sampled_from(["utf-8", "ascii", "cp1252"]),
    st.lists(sizes, max_size=5),
    st.none() | st.integers(1, 2**40),
)
def test_any_picture_fits(
    samples: list[tuple[float, int]], columns: int, rows: int, encoding: str, parts: list[int], budget: int | None
) -> None:
    lines = tuple(Line("a" * 50, size) for size in [*parts, 1])
    whole = sum(part.bytes for part in lines)
    shown = Snapshot(1, "x" * 99, budget, False, 0, Usage(whole, whole, whole, 0), lines)
    found = frame([shown], {1: samples}, NOW, (columns, rows), encoding)
    assert len(found) <= rows
    assert all(len(text) <= columns for text in found)
    assert all(text.encode(encoding).decode(encoding) == text for text in found)


@given(st.lists(st.tuples(st.floats(0, 599), st.integers(1, 2**40)), min_size=1, max_size=40), st.integers(1, 99))
def test_the_highest_sample_is_the_highest_sign(samples: list[tuple[float, int]], columns: int) -> None:
    drawn = spark([(NOW - ago, size) for ago, size in samples], NOW, columns)
    assert len(drawn) == columns
    assert max(drawn) == "█"


@pytest.mark.parametrize("at", [NOW - 601, NOW + 5])
def test_what_is_too_old_or_yet_to_come_is_not_drawn(at: float) -> None:
    assert spark([(at, 5)], NOW, 10) == " " * 10
