"""Segments as text, SRT, VTT or JSON, piece by piece, so that an hour of speech is written in flat memory.

Knows nothing of files, models or the terminal: it takes segments and gives pieces of text to write one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.errors import UsageError
from lowvox.report.cues import cues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lowvox.types import Segment

# Utterances end at any breath and at 15 s at the latest. Somebody who is silent this long has ended a thought.
PARAGRAPH_S = 2.0


def render(form: str, segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the pieces of a transcript in one of FORMATS; together they end with a line end, or are empty."""
    if form not in FORMATS:
        raise UsageError(f"There is no transcript format {form!r}; there are {', '.join(FORMATS)}.")
    return FORMATS[form](segments)


def _text(segments: Iterable[Segment]) -> Iterator[str]:
    """Join what was said with spaces; a pause over PARAGRAPH_S begins a new line."""
    heard: float | None = None
    for segment in segments:
        if not (text := " ".join(segment.text.split())):
            continue
        if heard is not None:
            yield "\n" if segment.start - heard > PARAGRAPH_S else " "
        yield text
        heard = segment.end
    if heard is not None:
        yield "\n"


def _srt(segments: Iterable[Segment]) -> Iterator[str]:
    """SubRip: numbered cues. It has no way to escape anything, so the text stands as it is."""
    for number, cue in enumerate(cues(segments), start=1):
        yield f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"


def _vtt(segments: Iterable[Segment]) -> Iterator[str]:
    """WebVTT: `&`, `<` and `>` are markup there, and so is the arrow that they could form."""
    from html import escape  # its table of entities takes 0.3 MB

    yield "WEBVTT\n\n"
    for cue in cues(segments):
        text = escape(cue.text, quote=False)
        yield f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n\n"


def _json(segments: Iterable[Segment]) -> Iterator[str]:
    """One object, its keys as `lowvox transcribe --json` has them; only the bare text is held until the end."""
    import msgspec

    said: list[str] = []
    yield '{"segments":['
    for segment in segments:
        yield ("," if said else "") + msgspec.json.encode(segment).decode()
        said.append(segment.text)
    yield f'],"text":{msgspec.json.encode(" ".join(filter(None, said))).decode()}}}\n'


def _clock(milliseconds: int, mark: str) -> str:
    """Write a time as hours (two digits or as many as it takes), minutes, seconds and thousandths."""
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{thousandths:03}"


FORMATS: dict[str, Callable[[Iterable[Segment]], Iterator[str]]] = {
    "text": _text,
    "srt": _srt,
    "vtt": _vtt,
    "json": _json,
}
