"""The table of benchmarks/families.py: one line for each variant and batch, in Markdown and as plain objects.

Knows no model; it is given the rows that lowvox's own trials measure, and what others say of themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lowvox.shrink.trials.variant import Row

_HEADS = (
    *("", "at once", "file, MB", "of first", "load, s", "first, s"),
    *("time", "quarters", "of first", "peak, MB", "of first", "USS, MB", "quality"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One variant of a family with `batch` inputs at once; MB of 2^20 bytes.

    `time` and its `quarters` are the processor's: seconds for one of sound ("RTF"), or milliseconds a paragraph ("ms").
    """

    family: str
    variant: str
    batch: int
    file_mb: float
    load_s: float
    first_s: float
    time: float
    quarters: tuple[float, float]
    unit: str
    peak_mb: float
    uss_mb: float | None = None
    quality: str = ""


def lines(family: str, rows: Iterable[Sequence[Row]]) -> Iterator[Line]:
    """Yield the lines of a family's variants, the first of them first with each batch."""
    for row in sorted((row for each in rows for row in each), key=lambda row: row.batch):
        yield _line(family, row)


def _line(family: str, row: Row) -> Line:
    assert row.cpu_s
    assert row.cpu_spread_s
    # Seconds of sound, or thousands of paragraphs, in a run.
    amount = row.run_s / row.rtf if row.rtf else row.batch / 1000
    low, high = row.cpu_spread_s
    return Line(
        family,
        row.variant,
        row.batch,
        row.size_mb,
        row.load_s,
        row.first_output_s,
        row.cpu_s / amount,
        (low / amount, high / amount),
        "RTF" if row.rtf else "ms",
        row.peak_rss_mb,
        row.peak_uss_mb,
        _quality(row),
    )


def _quality(row: Row) -> str:
    """Say how good or how near it is; the interval is of the paired difference."""
    words = []
    if row.quality:
        name = {"wer": "words wrong", "f1": "F1"}.get(row.quality.metric, row.quality.metric)
        words.append(f"{name} {row.quality.value:.1f} %")
        if row.quality.worse:
            low, high = row.quality.worse
            words.append(f"worse by {low:.1f} to {high:.1f}")
    if row.distance_db is not None:
        words.append(f"{row.distance_db:.1f} dB{' by spectrum' if row.by_mel else ''}")
    return ", ".join(words)


def objects(found: Sequence[Line]) -> list[dict[str, Any]]:
    """Return lines as objects with their ratios to the first variant of their family.

    That is with as many at once, or with one where it was measured so alone.
    """
    return [_rounded(asdict(line) | _ratios(line, found)) for line in found]


def _ratios(line: Line, found: Sequence[Line]) -> dict[str, float]:
    family = [one for one in found if one.family == line.family]
    alike = [one for one in family if (one.variant, one.batch) == (family[0].variant, line.batch)]
    first = (alike or family)[0]
    return {f"{name}_ratio": getattr(line, name) / getattr(first, name) for name in ("file_mb", "time", "peak_mb")}


def _rounded(told: dict[str, Any]) -> dict[str, Any]:
    short = {name: float(f"{value:.4g}") for name, value in told.items() if isinstance(value, float)}
    return told | short | {"quarters": [float(f"{value:.4g}") for value in told["quarters"]]}


def markdown(found: Sequence[Line]) -> str:
    """Return a table; a family's name stands in its first line alone."""
    text = [f"| {' | '.join(_HEADS)} |", "| --- " * len(_HEADS) + "|"]
    for line, told in zip(found, objects(found), strict=True):
        low, high = (_short(value) for value in line.quarters)
        cells = (
            f"{line.family}, {line.variant}",
            line.batch,
            f"{line.file_mb:.1f}",
            f"{told['file_mb_ratio']:.2f}",
            f"{line.load_s:.2f}",
            f"{line.first_s:.3f}",
            f"{_short(line.time)}{' ms' if line.unit == 'ms' else ''}",
            f"{low}-{high}",
            f"{told['time_ratio']:.2f}",
            f"{line.peak_mb:.0f}",
            f"{told['peak_mb_ratio']:.2f}",
            "–" if line.uss_mb is None else f"{line.uss_mb:.0f}",
            line.quality or "–",
        )
        text.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(text)


def _short(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.1f}"
