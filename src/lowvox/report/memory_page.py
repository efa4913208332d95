"""The memory table as one HTML page that needs nothing beside itself: no script, no font, no picture from elsewhere.

Knows nothing of files. Everything that comes from outside (names, facts) is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lowvox.report.memory import COLOURS, GREY, RED, REST, headroom, mb, stack
from lowvox.report.memory_svg import bar, curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.types import MemoryReport

# The same colours, lighter, on dark paper.
_LIGHTER = ("#4da3dd", "#f0b429", "#2fbf93", "#e09cc2", "#8fd0f5", "#f07f3c", "#cdbb3a")

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5b6470; --line: #d5dae1; --paper: #fff; COLOURS }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #9aa4b1; --line: #3a424d; --paper: #15181c;
  LIGHTER } }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.headline { font-size: 1.15rem; margin: .25rem 0 0; } .over { color: var(--limit); font-weight: 600; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
svg text.limit { fill: var(--limit); font-weight: 600; }
svg path.limit { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 6 4; }
svg .grid { stroke: var(--line); } svg .track { fill: none; stroke: var(--line); }
svg .area { fill: var(--c0); opacity: .18; } svg .peak { fill: var(--c0); }
svg .curve { fill: none; stroke: var(--c0); stroke-width: 2; stroke-linejoin: round; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
th { text-align: left; font-weight: 600; } td:not(:first-child), thead th:not(:first-child) { text-align: right;
  font-variant-numeric: tabular-nums; } tbody th { font-weight: 400; } tfoot th, tfoot td { font-weight: 600; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; }
.note { color: var(--soft); font-size: .9rem; } .facts th { width: 9rem; vertical-align: top; }
table.facts td { text-align: left; overflow-wrap: anywhere; }
"""


def page(report: MemoryReport, facts: Mapping[str, str], timeline: Sequence[tuple[float, float]] = ()) -> str:
    """Return the page; `facts` say what was run, `timeline` is (seconds, PSS in MB)."""
    over = report.budget_mb is not None and report.peak_pss_mb > report.budget_mb
    style = _STYLE.replace("COLOURS", _variables(COLOURS, GREY, RED))
    style = style.replace("LIGHTER", _variables(_LIGHTER, "#5d6773", "#ff8a80"))
    sections = [_section("What lies in memory at the peak", bar(report, _fills(report)) + _parts(report))]
    if timeline:
        sections.append(_section("Over time", curve(timeline, report.budget_mb)))
    if facts:
        rows = "".join(f"<tr><th scope='row'>{escape(key)}</th><td>{escape(facts[key])}</td></tr>" for key in facts)
        sections.append(_section("What was run", f"<table class='facts'><tbody>{rows}</tbody></table>"))
    return (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>lowvox: {headroom(report)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>The memory that lowvox took</h1>\n<p class='headline{' over' * over}'>{headroom(report)}</p>\n"
        f"{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _parts(report: MemoryReport) -> str:
    """The table, which is also the legend of the bar: same order, same colours."""
    figures: list[tuple[float | None, float | None]] = [(part.resident_mb, part.peak_mb) for part in report.parts]
    # What is left over was there at the peak; how much of it stays, nobody measured.
    figures += [(None, size) for _, size in stack(report)[len(figures) :]]
    rows = "".join(
        f"<tr><th scope='row'><span class='swatch' style='background:{fill}'></span>{escape(name)}</th>"
        f"<td>{_figure(resident)}</td><td>{_figure(peak)}</td></tr>"
        for (name, _), fill, (resident, peak) in zip(stack(report), _fills(report), figures, strict=True)
    )
    return (
        "<table><thead><tr><th scope='col'>part, in the order of the bar</th><th scope='col'>resident MB</th>"
        f"<th scope='col'>peak MB</th></tr></thead><tbody>{rows}</tbody>"
        f"<tfoot><tr><th scope='row'>all of it</th><td></td><td>{report.peak_pss_mb:.1f}</td></tr></tfoot></table>"
        f"<p class='note'>PSS is what counts: memory that processes share is counted once. RSS was "
        f"{mb(report.peak_rss_mb)} MB, USS {mb(report.peak_uss_mb)} MB. A part's peak was measured for it alone; "
        "the parts do not peak together. MB is 2<sup>20</sup> bytes.</p>"
    )


def _fills(report: MemoryReport) -> list[str]:
    """Name the colour of each slice of the stack; what no part accounts for is grey."""
    return [
        "var(--rest)" if name == REST else f"var(--c{i % len(COLOURS)})" for i, (name, _) in enumerate(stack(report))
    ]


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>\n"


def _figure(size: float | None) -> str:
    return "–" if size is None else f"{size:.1f}"


def _variables(colours: tuple[str, ...], rest: str, limit: str) -> str:
    """Name the colours for the style."""
    numbered = "".join(f" --c{i}: {colour};" for i, colour in enumerate(colours))
    return f"--rest: {rest}; --limit: {limit};{numbered}"
