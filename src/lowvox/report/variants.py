"""Variants of a model side by side: as text for a terminal, as Markdown, and as the object of `--json`.

One line for each variant and batch, then what the gate says of each variant. Measures and judges nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lowvox.report.memory import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.shrink.trials.variant import Quality, Row, Verdict

MEASURES = {"wer": "WER %", "cer": "CER %", "f1": "F1 %", "agreement": "same %"}
# What stands before a check that passed, failed, or cannot tell; and the same for terminals that know ASCII alone.
SIGNS = {True: "✓", False: "✗", None: "?"}
_PLAIN = {"✓": "+", "✗": "-", "–": "-"}
_PLACES = 6


def text(rows: Sequence[Row], verdicts: Sequence[Verdict] = (), encoding: str = "utf-8") -> str:
    """Return an aligned table and the verdicts, in characters that `encoding` has; ends with a line end."""
    head, *lines = cells(rows)
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    found = [_aligned(line, widths) for line in (head, *lines)]
    found += ["", *notes(rows)]
    for verdict in verdicts:
        found += ["", headline(verdict)]
        found += [f"  {SIGNS[check.passed]} {check.sentence}" for check in verdict.checks]
        found += [f"    {sentence}" for sentence in verdict.blame]
    return _encodable("\n".join(found), encoding) + "\n"


def markdown(rows: Sequence[Row], verdicts: Sequence[Verdict] = ()) -> str:
    """Return the same as Markdown; ends with a line end."""
    head, *lines = cells(rows)
    rule = ["---", *["---:"] * (len(head) - 1)]
    found = [f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in (head, rule, *lines)]
    found += ["", " ".join(notes(rows))]
    for verdict in verdicts:
        found += ["", f"**{_escaped(headline(verdict))}**", ""]
        found += [f"- {SIGNS[check.passed]} {_escaped(check.sentence)}" for check in verdict.checks]
        found += [f"  - {_escaped(sentence)}" for sentence in verdict.blame]
    return "\n".join(found) + "\n"


def document(rows: Sequence[Row], verdicts: Sequence[Verdict] = ()) -> dict[str, Any]:
    """Return the object of `--json`: the fields of the rows, and `passed` beside each verdict's own; the keys stay."""
    return {
        "rows": [_rounded(asdict(row)) for row in rows],
        "verdict": [_rounded(asdict(verdict) | {"passed": verdict.passed}) for verdict in verdicts],
    }


def cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the head and a line for each row as text; columns in which nothing was measured are left out."""
    measures = list(dict.fromkeys(one.metric for row in rows for one in qualities(row)))
    head = (
        "variant",
        "batch",
        "disk MB",
        "load ms",
        "first ms",
        "run ms",
        "quarters",
        "cpu ms",
        "RTF",
        "peak RSS",
        "USS",
    )
    whole = [(*head, *(MEASURES[measure] for measure in measures), "dB")]
    whole += [_line(row, measures) for row in rows]
    kept = [column for column in zip(*whole, strict=True) if set(column[1:]) != {"–"}]
    return list(zip(*kept, strict=True))


def headline(verdict: Verdict) -> str:
    """Say in one line what follows."""
    if not verdict.passed:
        return f"{verdict.variant}: not worth having instead of the first."
    if any(check.passed is None for check in verdict.checks):
        return f"{verdict.variant}: nothing speaks against it, and not everything is decided."
    return f"{verdict.variant}: smaller, faster and as good."


def notes(rows: Sequence[Row]) -> list[str]:
    """Say how it was measured, in sentences."""
    first = rows[0]
    ways = {row.way for row in rows if row.batch > 1}
    how = {"stacked": "stacked along the first axis", "at once": "so many runs at once"}
    batch = f" A batch is {' or '.join(how[way] for way in sorted(ways))}." if ways else ""
    threads = f"{first.threads} thread{'s' * (first.threads > 1)}"
    timed = f"Medians of {first.runs} runs after warm-up, {threads} on {first.provider}.{batch}"
    found = [f"{timed} Peaks are of a process of its own: RSS by the kernel, USS as it was seen; MB is 2^20 bytes."]
    by = {
        f"{MEASURES[one.metric].split()[0]} by {one.by}, {one.count} input{'s' * (one.count != 1)}"
        for row in rows
        for one in qualities(row)
    }
    if by:
        found.append(f"In brackets: the 95 % interval ({'; '.join(sorted(by))}).")
    if any(row.distance_db is not None for row in rows):
        what = "spectra" if any(row.by_mel for row in rows) else "outputs"
        found.append(f"dB: the first one's {what} over the difference to them; the more, the nearer.")
    return found


def qualities(row: Row) -> tuple[Quality, ...]:
    """Return all measures of a row, the one that is judged by first."""
    return (row.quality, *row.also) if row.quality else row.also


def _line(row: Row, measures: Sequence[str]) -> tuple[str, ...]:
    known: dict[str, str] = {one.metric: f"{one.value:.1f} ({one.low:.1f}-{one.high:.1f})" for one in qualities(row)}
    low, high = row.spread_s
    return (
        short(row.variant),
        str(row.batch),
        f"{row.size_mb:.2f}",
        f"{1000 * row.load_s:.0f}",
        f"{1000 * row.first_output_s:.2f}",
        f"{1000 * row.run_s:.2f}",
        f"{1000 * low:.2f}-{1000 * high:.2f}",
        "–" if row.cpu_s is None else f"{1000 * row.cpu_s:.2f}",
        "–" if row.rtf is None else f"{row.rtf:.4f}",
        f"{row.peak_rss_mb:.1f}",
        f"{row.peak_uss_mb:.1f}",
        *(known.get(measure, "–") for measure in measures),
        "–" if row.distance_db is None else f"{row.distance_db:.1f}",
    )


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = zip(line, widths, strict=True)
    return "  ".join([name[0].ljust(name[1]), *(cell.rjust(width) for cell, width in figures)]).rstrip()


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _PLAIN.items():
            text = text.replace(sign, plain)
    return text.encode(encoding, "replace").decode(encoding)


def _rounded(thing: Any) -> Any:
    """Round all numbers in an object: what is behind the sixth place nobody measured."""
    if isinstance(thing, dict):
        return {key: _rounded(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_rounded(value) for value in thing]
    return round(thing, _PLACES) if isinstance(thing, float) else thing
