"""The page needs nothing beside itself, escapes what comes from outside and can be read aloud."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.report.memory import stack
from lowvox.report.memory_page import page
from lowvox.report.memory_svg import bar, curve
from lowvox.types import MemoryReport, Part
from replicas.markup import Markup

REPORT = MemoryReport(
    300,
    142.63,
    161.2,
    138.9,
    (Part("lowvox itself", 28.3, 28.3), Part("pocketsphinx", 61, 89.4), Part("espeak", 4, None)),
)
FACTS = {"command": "lowvox demo --budget 300MB", "machine": "2 cores"}
TIMELINE = [(0.0, 28.0), (2.5, 142.6), (4.0, 110.0)]


def test_the_page_says_it_all() -> None:
    read = Markup(page(REPORT, FACTS, TIMELINE))
    for said in (
        "lowvox: peak 142.6 MB of 300 MB; 157.4 MB left",
        "pocketsphinx",
        "89.4",
        "budget 300 MB",
        "RSS was 161.2 MB, USS 138.9 MB",
        "lowvox demo --budget 300MB",
        "seconds",
    ):
        assert said in read.text


def test_nothing_comes_from_elsewhere() -> None:
    markup = page(REPORT, FACTS, TIMELINE)
    assert not re.search(r"https?:|//|src=|href=|@import|url\(|<script|<link", markup)


def test_drawings_have_a_name_for_those_who_do_not_see_them() -> None:
    read = Markup(page(REPORT, FACTS, TIMELINE))
    drawings = [attributes for tag, attributes in read.tags if tag == "svg"]
    assert [drawing["role"] for drawing in drawings] == ["img", "img"]
    assert "157.4 MB left" in (drawings[0]["aria-label"] or "")
    assert "highest 142.6 MB after 2.5 seconds" in (drawings[1]["aria-label"] or "")
    assert {attributes.get("scope") for tag, attributes in read.tags if tag == "th"} == {"row", "col"}


def test_light_and_dark() -> None:
    markup = page(REPORT, FACTS)
    assert "color-scheme: light dark" in markup
    assert "@media (prefers-color-scheme: dark)" in markup


def test_over_the_budget_is_told_by_more_than_a_colour() -> None:
    markup = page(replace(REPORT, budget_mb=120), FACTS)
    assert "class='headline over'" in markup
    assert "22.6 MB over the budget" in markup


@pytest.mark.parametrize("report", [replace(REPORT, budget_mb=None), MemoryReport(None, 0, 0, 0)])
def test_without_budget_facts_or_timeline(report: MemoryReport) -> None:
    read = Markup(page(report, {}))
    assert "no budget was set" in read.text
    assert "Over time" not in read.text
    assert "What was run" not in read.text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_names_and_facts_from_outside_stay_text(name: str) -> None:
    report = replace(REPORT, parts=(Part(name, 5, None),))
    plain = Markup(page(replace(REPORT, parts=(Part("x", 5, None),)), {"x": "x"}, TIMELINE))
    read = Markup(page(report, {name: name}, TIMELINE))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in plain.tags]
    assert read.text.count(name) >= 3


@given(st.floats(1, 1e5), st.floats(0, 1e5), st.lists(st.floats(0, 1e5), max_size=8))
def test_slices_lie_side_by_side_inside_the_drawing(budget: float, peak: float, sizes: list[float]) -> None:
    report = MemoryReport(budget, peak, peak, peak, tuple(Part(str(i), size, None) for i, size in enumerate(sizes)))
    drawn = bar(report, ["red"] * len(stack(report)))
    slices = [
        (float(x), float(width)) for x, width in re.findall(r"<rect x='([\d.]+)' y='\d+' width='([\d.]+)'", drawn)
    ]
    assert len(slices) == len(stack(report))
    assert all(abs(x + width - following) < 0.21 for (x, width), (following, _) in pairwise(slices))
    assert all(x + width <= 720 for x, width in slices)


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), min_size=1, max_size=30), st.none() | st.floats(1, 1e5)
)
def test_the_curve_stays_inside_the_drawing(samples: list[tuple[float, float]], budget: float | None) -> None:
    drawn = curve(sorted(samples), budget)
    points = re.search(r"class='curve' points='([^']*)'", drawn)
    assert points
    for point in points[1].split():
        x, y = map(float, point.split(","))
        assert 52 <= x <= 692
        assert 24 <= y <= 220
    assert 3 <= len(re.findall("class='grid'", drawn)) <= 8
