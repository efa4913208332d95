"""The page of variants needs nothing beside itself, escapes names, and its drawings hold every point."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lowvox.report.variants_page import Sound, page
from lowvox.report.variants_svg import Line, Point, plot
from lowvox.shrink.trials.variant import Check, Row, Verdict
from replicas.markup import Markup

FIRST = Row(
    variant="<fp32>",
    batch=1,
    provider="cpu",
    threads=1,
    size_mb=13.76,
    load_s=0.4,
    first_output_s=0.2,
    run_s=0.1,
    spread_s=(0.09, 0.12),
    rtf=0.03,
    peak_rss_mb=79.5,
    peak_uss_mb=46.3,
    runs=100,
)
ROWS = [replace(FIRST, variant=name, batch=batch) for name in ("<fp32>", "int8") for batch in (1, 8)]
VERDICT = Verdict("int8", (Check("disk", True, "Smaller & lighter."), Check("speed", False, "Slower.")), ("Time: <b>",))
SOUNDS = [Sound(name, "Good <morning>.", b"fLaC" + name.encode()) for name in ("<fp32>", "int8")]


def test_the_page_says_it_all_and_needs_nothing() -> None:
    whole = page("compare: <fp32>", ROWS, [VERDICT], {"command": "lowvox <x>"}, SOUNDS)
    read = Markup(whole)
    for said in ("compare: <fp32>", "Smaller & lighter.", "Time: <b>", "Good <morning>.", "lowvox <x>", "79.5"):
        assert said in read.text, said
    assert not re.search(r"(?:src|href)=(?!['\"]?data:)|url\(|@import|<script|https?://", whole)
    assert len(read.named("svg")) == 3
    sounds = [b64decode(str(each["src"]).partition(",")[2]) for each in read.named("audio")]
    assert sounds == [sound.flac for sound in SOUNDS]
    assert "prefers-color-scheme: dark" in whole
    assert any(each.get("name") == "viewport" for each in read.named("meta"))


def test_without_verdicts_and_sound_there_is_no_such_part() -> None:
    read = Markup(page("bench", ROWS[:1]))
    assert "Listen" not in read.text
    assert "What was run" not in read.text
    assert len(read.named("circle")) == 3


NUMBERS = st.floats(1e-6, 1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_a_drawing_holds_every_point(places: list[tuple[float, float, float]]) -> None:
    points = tuple(Point(x, y, "8", "told", (y, y + more)) for x, y, more in places)
    read = Markup(plot("a <title>", "x", "y", [Line("one", points, "red")]))
    circles = read.named("circle")
    assert len(circles) == len(places)
    assert all(0 <= float(str(each["cx"])) <= 340 and 0 <= float(str(each["cy"])) <= 250 for each in circles)
    assert all(0 <= float(str(each["x"])) <= 340 for each in read.named("text"))
    spreads = re.findall(r"class='spread' d='M[\d.]+ ([\d.]+)V([\d.]+)'", plot("t", "x", "y", [Line("o", points, "")]))
    assert len(spreads) == len(places)
    assert all(0 <= float(high) <= float(low) + 0.1 <= 251 for low, high in spreads)
