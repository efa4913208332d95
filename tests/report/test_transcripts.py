"""Each format can be read back, complete, and is written while the segments come."""

from __future__ import annotations

import json
import re
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.report.transcripts import FORMATS, render
from lowvox.types import Segment, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})"
HOLD = Segment(0.5, 1.25, "Hold on.", (Word(0.5, 0.8, "hold", 0.9), Word(0.8, 1.25, "on")))
LATER = Segment(362_439.0, 362_439.999, "Tom & <Jerry> --> out")


@st.composite
def spoken(draw: st.DrawFn) -> list[Segment]:
    """Segments one after the other, as a recogniser gives them."""
    found, at = [], 0.0
    for text in draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), max_size=4)):
        start = at + draw(st.floats(0, 5))
        at = start + draw(st.floats(0.1, 15))
        found.append(Segment(start, at, text))
    return found


def parse(text: str) -> Iterator[tuple[float, float, str]]:
    """Read SRT or the body of VTT: (start, end, text) of each cue; fails on anything else."""
    for block in text.split("\n\n")[:-1]:
        lines = block.split("\n")
        if lines[0].isdecimal():
            lines = lines[1:]
        stamps = re.fullmatch(f"{STAMP} --> {STAMP}", lines[0])
        assert stamps, block
        h, m, s, ms, *end = map(int, stamps.groups())
        yield (
            h * 3600 + m * 60 + s + ms / 1000,
            end[0] * 3600 + end[1] * 60 + end[2] + end[3] / 1000,
            " ".join(lines[1:]),
        )
    assert text.split("\n\n")[-1] == ""


def bare(text: str) -> str:
    return "".join(text.split())


@given(spoken())
def test_srt_reads_back_complete(segments: list[Segment]) -> None:
    written = "".join(render("srt", segments))
    numbers = [int(line) for line in re.findall(r"^(\d+)\n(?=\d+:\d\d:\d\d,)", written, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    read = list(parse(written)) if written else []
    assert all(before[1] <= after[0] for before, after in pairwise(read))
    assert bare("".join(text for *_, text in read)) == bare("".join(segment.text for segment in segments))


@given(spoken())
def test_vtt_reads_back_complete_and_holds_no_markup(segments: list[Segment]) -> None:
    head, _, body = "".join(render("vtt", segments)).partition("\n\n")
    assert head == "WEBVTT"
    read = list(parse(body)) if body else []
    assert not any(re.search(r"[<>]|&(?!amp;|lt;|gt;)", text) for *_, text in read)
    assert bare("".join(unescape_only(text) for *_, text in read)) == bare("".join(s.text for s in segments))


def unescape_only(text: str) -> str:
    """Undo the three escapes; `unescape` alone would also read `&amp;copy` twice."""
    return re.sub(r"&(?:amp|lt|gt);", lambda found: unescape(found[0]), text)


def test_hours_over_99_and_markup() -> None:
    written = "".join(render("vtt", [HOLD, LATER]))
    assert written == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHold on.\n\n"
        "100:40:39.000 --> 100:40:39.999\nTom &amp; &lt;Jerry&gt; --&gt; out\n\n"
    )


def test_srt_looks_like_srt() -> None:
    assert "".join(render("srt", [HOLD])) == "1\n00:00:00,500 --> 00:00:01,250\nHold on.\n\n"


def test_text_takes_a_new_line_after_a_long_pause_only() -> None:
    segments = [Segment(0, 1, "One."), Segment(3, 4, " Two. "), Segment(4.1, 4.2, ""), Segment(6.5, 7, "Three.")]
    assert "".join(render("text", segments)) == "One. Two.\nThree.\n"


def test_json_is_one_object_with_the_keys_that_stay() -> None:
    read = json.loads("".join(render("json", [HOLD, LATER])))
    assert read["text"] == f"Hold on. {LATER.text}"
    assert read["segments"][0] == {
        "start": 0.5,
        "end": 1.25,
        "text": "Hold on.",
        "words": [
            {"start": 0.5, "end": 0.8, "word": "hold", "confidence": 0.9},
            {"start": 0.8, "end": 1.25, "word": "on", "confidence": None},
        ],
    }


@pytest.mark.parametrize(("form", "empty"), [("text", ""), ("srt", ""), ("vtt", "WEBVTT\n\n")])
def test_silence_is_an_empty_transcript(form: str, empty: str) -> None:
    assert "".join(render(form, [])) == empty
    assert json.loads("".join(render("json", []))) == {"segments": [], "text": ""}


@pytest.mark.parametrize("form", FORMATS)
def test_a_segment_is_written_before_the_one_after_the_next_is_asked_for(form: str) -> None:
    asked = 0

    def endless() -> Iterator[Segment]:
        nonlocal asked
        while True:
            asked += 1
            yield Segment(asked * 3.0, asked * 3.0 + 1, f"number {asked}")

    pieces = render(form, endless())
    written = ""
    while "number 5" not in written:
        written += next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # they are generators
    assert asked <= 6


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="text, srt, vtt, json"):
        render("docx", [])
