"""Variants of a model as one HTML page that needs nothing beside itself: figures, verdicts, drawings and their sound.

No script, no font, no picture from elsewhere. Everything that comes from outside (names, sentences) is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from lowvox.report.memory import COLOURS
from lowvox.report.variants import SIGNS, cells, headline, notes
from lowvox.report.variants_svg import Line, Point, plot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lowvox.shrink.trials.variant import Row, Verdict

# The same colours, lighter, on dark paper.
_LIGHTER = ("#4da3dd", "#f0b429", "#2fbf93", "#e09cc2", "#8fd0f5", "#f07f3c", "#cdbb3a")
_KINDS = {True: "good", False: "bad", None: "open"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5b6470; --line: #d5dae1; --paper: #fff; --card: #f5f7f9;
  --good: #00734f; --bad: #b3261e; --open: #7a5a00; COLOURS }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #9aa4b1; --line: #3a424d; --paper: #15181c;
  --card: #1d2127; --good: #4fd1a5; --bad: #ff8a80; --open: #f0b429; LIGHTER } }
* { box-sizing: border-box; }
body { margin: 1.5rem auto; max-width: 74rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
.card { background: var(--card); border-radius: 8px; padding: .75rem 1rem; margin: .75rem 0; }
.card ul { list-style: none; margin: 0; padding: 0; } .card li { padding-left: 1.5em; text-indent: -1.5em; }
.sign { display: inline-block; width: 1.5em; text-indent: 0; font-weight: 700; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.blame { color: var(--soft); font-size: .9rem; margin: .5rem 0 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.plots { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
figure { margin: 0; } figcaption { font-weight: 600; font-size: .95rem; }
svg { display: block; width: 100%; height: auto; font: 11.5px system-ui, sans-serif; }
svg text { fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
svg .grid { stroke: var(--line); } svg .spread { stroke: var(--soft); stroke-width: 1.5; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
table { border-collapse: collapse; width: 100%; font-size: .8rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .4rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
thead th { font-weight: 600; } tbody th { font-weight: 400; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; }
.note { color: var(--soft); font-size: .9rem; } .legend span { margin-right: 1rem; white-space: nowrap; }
.sounds { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
audio { width: 100%; display: block; } blockquote { margin: 0 0 .5rem; }
"""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sentence as one variant says it, as the bytes of a FLAC file."""

    variant: str
    sentence: str
    flac: bytes


def page(
    title: str,
    rows: Sequence[Row],
    verdicts: Sequence[Verdict] = (),
    facts: Mapping[str, str] | None = None,
    sounds: Sequence[Sound] = (),
) -> str:
    """Return the page; `facts` say what was run."""
    colours = {
        name: f"var(--c{at % len(COLOURS)})" for at, name in enumerate(dict.fromkeys(row.variant for row in rows))
    }
    sections = [_verdict(verdict) for verdict in verdicts]
    sections.append(_section("Figures", _table(rows, colours)))
    sections.append(_section("Memory, speed and size", _legend(colours) + _plots(rows, colours)))
    if sounds:
        sections.append(_section("Listen", _listening(sounds, colours)))
    if facts:
        lines = "".join(f"<p class='note'><b>{escape(key)}</b> {escape(facts[key])}</p>" for key in facts)
        sections.append(_section("What was run", lines))
    style = _STYLE.replace("COLOURS", _variables(COLOURS)).replace("LIGHTER", _variables(_LIGHTER))
    return (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _verdict(verdict: Verdict) -> str:
    checks = "".join(
        f"<li><span class='sign {_KINDS[check.passed]}'>{SIGNS[check.passed]}</span>{escape(check.sentence)}</li>"
        for check in verdict.checks
    )
    blame = "".join(f"<p class='blame'>{escape(sentence)}</p>" for sentence in verdict.blame)
    undecided = any(check.passed is None for check in verdict.checks)
    kind = "bad" if not verdict.passed else "open" if undecided else "good"
    return f"<div class='card'><h3 class='{kind}'>{escape(headline(verdict))}</h3><ul>{checks}</ul>{blame}</div>\n"


def _table(rows: Sequence[Row], colours: Mapping[str, str]) -> str:
    """The table, which is also the legend of the drawings."""
    head, *lines = cells(rows)
    named = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{_swatch(colours[row.variant])}{escape(name)}</th>"
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in figures)}</tr>"
        for row, (name, *figures) in zip(rows, lines, strict=True)
    )
    told = " ".join(notes(rows)).replace("2^20", "2<sup>20</sup>")
    return (
        f"<div class='wide'><table><thead><tr>{named}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<p class='note'>{told}</p>"
    )


def _plots(rows: Sequence[Row], colours: Mapping[str, str]) -> str:
    """Peak against time, latency by batch, and peak against size on disk."""
    many = len({row.batch for row in rows}) > 1

    def lines(point: Callable[[Row], Point]) -> list[Line]:
        return [Line(name, tuple(point(row) for row in rows if row.variant == name), colours[name]) for name in colours]

    def by_time(row: Row) -> Point:
        told = f"batch {row.batch}: {1000 * row.run_s:.3g} ms, {row.peak_rss_mb:.0f} MB"
        return Point(1000 * row.run_s, row.peak_rss_mb, str(row.batch) * many, told)

    def by_batch(row: Row) -> Point:
        low, high = (1000 * each for each in row.spread_s)
        return Point(row.batch, 1000 * row.run_s, "", f"batch {row.batch}: {1000 * row.run_s:.3g} ms", (low, high))

    def by_size(row: Row) -> Point:
        told = f"batch {row.batch}: {row.size_mb:.2f} MB on disk, {row.peak_rss_mb:.0f} MB"
        return Point(row.size_mb, row.peak_rss_mb, "", told)

    drawn = {
        f"Peak against the time of a run{' (figures: the batch)' * many}": ("ms a run", "peak MB", by_time),
        "Time of a run by batch, with its quarters": ("batch", "ms a run", by_batch),
        "Peak against the size on disk": ("MB on disk", "peak MB", by_size),
    }
    return "<div class='plots'>{}</div>".format(
        "".join(
            f"<figure><figcaption>{title}</figcaption>{plot(title, x, y, lines(point))}</figure>"
            for title, (x, y, point) in drawn.items()
        )
    )


def _listening(sounds: Sequence[Sound], colours: Mapping[str, str]) -> str:
    """Each sentence with every variant's sound, to be compared one after the other."""
    found = []
    for sentence in dict.fromkeys(sound.sentence for sound in sounds):
        players = "".join(
            f"<div>{_swatch(colours[sound.variant])}{escape(sound.variant)}<audio controls preload='metadata' "
            f"src='data:audio/flac;base64,{b64encode(sound.flac).decode()}'></audio></div>"
            for sound in sounds
            if sound.sentence == sentence
        )
        found.append(
            f"<div class='card'><blockquote>{escape(sentence)}</blockquote><div class='sounds'>{players}</div></div>"
        )
    return "".join(found)


def _legend(colours: Mapping[str, str]) -> str:
    named = "".join(f"<span>{_swatch(colour)}{escape(name)}</span> " for name, colour in colours.items())
    return f"<p class='legend'>{named}</p>"


def _swatch(colour: str) -> str:
    return f"<span class='swatch' style='background:{colour}'></span>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n"


def _variables(colours: Sequence[str]) -> str:
    """Name the colours for the style."""
    return "".join(f" --c{at}: {colour};" for at, colour in enumerate(colours))
