"""The table says what it should, stays aligned, and fits any terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.report.memory import REST, headroom, stack, table
from lowvox.types import MemoryReport, Part

PARTS = (
    Part("lowvox itself", 28.3, 28.3),
    Part("silero-vad", 9.04, 10.2),
    Part("pocketsphinx", 61, 89.4),
    Part("espeak", 4.2, None),
)
REPORT = MemoryReport(300, 142.63, 161.2, 138.9, PARTS)

sizes = st.floats(0, 1e5)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
reports = st.builds(
    MemoryReport,
    budget_mb=st.none() | st.floats(0.1, 1e5),
    peak_pss_mb=sizes,
    peak_rss_mb=sizes,
    peak_uss_mb=sizes,
    parts=st.lists(st.builds(Part, names, sizes, st.none() | sizes), max_size=6).map(tuple),
)


def test_the_table_on_a_terminal() -> None:
    assert table(REPORT) == (
        "part           resident MB  peak MB  of the budget, 300 MB\n"
        "lowvox itself         28.3     28.3  ████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░\n"
        "silero-vad             9.0     10.2  █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░\n"
        "pocketsphinx          61.0     89.4  █████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░\n"
        "espeak                 4.2        –  █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░\n"
        "all of it                     142.6  ████████████████████░░░░░░░░░░░░░░░░░░░░░░░\n"
        "PSS is what counts; RSS was 161.2 MB, USS 138.9 MB\n"
        "peak 142.6 MB of 300 MB; 157.4 MB left\n"
    )


def test_a_terminal_without_blocks_gets_ascii() -> None:
    lines = table(REPORT, "ascii").splitlines()
    assert lines[3] == "pocketsphinx          61.0     89.4  #############.............................."
    assert lines[4].split()[:3] == ["espeak", "4.2", "-"]


def test_without_a_budget_the_bars_are_against_the_peak() -> None:
    lines = table(replace(REPORT, budget_mb=None)).splitlines()
    assert lines[0].endswith("of 142.6 MB")
    assert "░" not in lines[5]
    assert lines[-1] == "peak 142.6 MB; no budget was set"


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        (300, "peak 142.6 MB of 300 MB; 157.4 MB left"),
        (142.63, "peak 142.6 MB of 142.6 MB; 0 MB left"),
        (142.62, "peak 142.6 MB of 142.6 MB; 0.1 MB over the budget"),
        (120, "peak 142.6 MB of 120 MB; 22.6 MB over the budget"),
    ],
)
def test_the_budget_in_plain_words(budget: float, sentence: str) -> None:
    assert headroom(replace(REPORT, budget_mb=budget)) == sentence


def test_a_job_with_no_parts_still_has_its_peak() -> None:
    assert table(MemoryReport(None, 10, 11, 9)).splitlines()[1].startswith("all of it                  10.0  █")


@given(reports, st.sampled_from(["utf-8", "ascii", "cp1252", "koi8-r"]))
def test_any_report_fits_80_columns_and_the_encoding(report: MemoryReport, encoding: str) -> None:
    lines = table(report, encoding).encode(encoding).decode(encoding).split("\n")
    assert len(lines) == len(report.parts) + 5
    assert all(len(line) <= 80 for line in lines)
    bars = lines[1 : len(report.parts) + 2]
    assert {len(line) for line in bars} == {80}


@given(reports)
def test_the_stack_reaches_the_peak(report: MemoryReport) -> None:
    found = stack(report)
    assert all(size >= 0 for _, size in found)
    assert [name for name, _ in found if name != REST] == [part.name for part in report.parts if part.name != REST]
    assert sum(size for _, size in found) >= report.peak_pss_mb * (1 - 1e-9)
