"""The gate: whether a variant is worth having instead of the first, from what was measured of both.

Disk and peak must shrink, time must fall, quality must hold. What lies within the spread of the measurement is "the
same", which neither passes nor fails. Measures nothing itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from lowvox.shrink.trials.variant import Check, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.shrink.trials.variant import Quality, Row

# Points of word error rate, F1 or agreement that nobody notices.
MARGIN = 0.5
# What rounding adds then is a tenth of what there is, as amplitudes: on a decoder of speech it can be heard, hardly.
FLOOR_DB = 20.0
# Inputs below which nothing passes: where none of a few differs, the interval of a bootstrap is a point.
LEAST = 30
# Of a peak that is measured again with the same graph; a file's size is exact.
_PEAK_SPREAD, _PEAK_MB, _DISK_SPREAD = 0.02, 0.5, 0.001
_FAR = 100  # times as many inputs: nobody has them


def judge(
    first: Sequence[Row], variant: Sequence[Row], *, margin: float = MARGIN, floor_db: float = FLOOR_DB
) -> Verdict:
    """Judge the rows of a variant by those of the first, batch by batch; both have at least one batch in common.

    Quality passes when the upper end of the paired 95 % interval is at most `margin` points worse, and fails when the
    lower end is above that; on fewer than 30 inputs it does not pass. Where no quality was measured, the distance in dB
    must be at least `floor_db`.
    """
    pairs = _pairs(first, variant)
    checks = (_disk(*pairs[0]), _peak(pairs), _speed(pairs), _quality(pairs[0][1], margin, floor_db))
    return Verdict(variant[0].variant, checks)


def _pairs(first: Sequence[Row], variant: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pair the rows of the same batch, the smallest first."""
    known = {row.batch: row for row in first}
    pairs = [(known[row.batch], row) for row in variant if row.batch in known]
    if not pairs:
        raise ValueError("there is no batch that both were measured with")
    return sorted(pairs, key=lambda pair: pair[0].batch)


def _disk(first: Row, row: Row) -> Check:
    ratio = row.size_mb / max(first.size_mb, 1e-9)
    sizes = f"{row.size_mb:.2f} MB instead of {first.size_mb:.2f} ({ratio:.2f} x)"
    if abs(ratio - 1) <= _DISK_SPREAD:
        return Check("disk", None, f"The same on disk: {sizes}.")
    return Check("disk", ratio < 1, f"{'Smaller' if ratio < 1 else 'Larger'} on disk: {sizes}.")


def _peak(pairs: Sequence[tuple[Row, Row]]) -> Check:
    words = {-1: "Smaller at the peak", 0: "The same at the peak", 1: "Larger at the peak"}
    return _worst("peak", pairs, [_peak_sign(*pair) for pair in pairs], words)


def _speed(pairs: Sequence[tuple[Row, Row]]) -> Check:
    words = {-1: "Faster", 0: "As fast", 1: "Slower"}
    return _worst("speed", pairs, [_speed_sign(*pair) for pair in pairs], words)


def _worst(
    name: Literal["peak", "speed"], pairs: Sequence[tuple[Row, Row]], signs: Sequence[int], words: dict[int, str]
) -> Check:
    """Pass where some batch takes less and none takes more; the sentence is of the batch that decided it."""
    sign = max(signs) if max(signs) > 0 else min(signs)
    first, row = pairs[signs.index(sign)]
    told = (_peak_told if name == "peak" else _speed_told)(first, row)
    at = f" at batch {row.batch}" if len(pairs) > 1 else ""
    return Check(name, None if sign == 0 else sign < 0, f"{words[sign]}{at}: {told}.")


def _peak_sign(first: Row, row: Row) -> int:
    further = row.peak_rss_mb - first.peak_rss_mb
    return 0 if abs(further) <= max(_PEAK_MB, _PEAK_SPREAD * first.peak_rss_mb) else int(math.copysign(1, further))


def _peak_told(first: Row, row: Row) -> str:
    ratio = row.peak_rss_mb / max(first.peak_rss_mb, 1e-9)
    return f"{row.peak_rss_mb:.0f} MB instead of {first.peak_rss_mb:.0f} ({ratio:.2f} x)"


def _speed_sign(first: Row, row: Row) -> int:
    """Say which is quicker, where the slower quarter of one does not reach the quicker quarter of the other."""
    (_, (low, high)), (_, (its_low, its_high)) = _times(first, row)
    return -1 if its_high < low else int(its_low > high)


def _speed_told(first: Row, row: Row) -> str:
    (was, _), (now, _) = _times(first, row)
    return f"{_ms(now)} ms instead of {_ms(was)} ({now / max(was, 1e-9):.2f} x)"


def _ms(seconds: float) -> str:
    """Return milliseconds with three digits that tell, or more before the point."""
    return f"{1000 * seconds:.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"


def _times(*rows: Row) -> list[tuple[float, tuple[float, float]]]:
    """Return median and quarters of each: of processor time, which other programs disturb less, where it tells.

    With several threads it is the clock that people wait for.
    """
    alike = len({row.way for row in rows}) == 1 and all(row.threads == 1 and row.provider == "cpu" for row in rows)
    found = [(row.cpu_s, row.cpu_spread_s) for row in rows if row.cpu_s and row.cpu_spread_s]
    return found if alike and len(found) == len(rows) else [(row.run_s, row.spread_s) for row in rows]


def _quality(row: Row, margin: float, floor_db: float) -> Check:
    if row.quality is not None and row.quality.worse is not None:
        return _by_words(row.quality, row.quality.worse, margin)
    if row.distance_db is None:
        return Check("quality", None, "Undecided on quality: it was not measured; give it text, speech or samples.")
    near = row.distance_db >= floor_db
    told = f"{'spectrum' if row.by_mel else 'output'} is {row.distance_db:.1f} dB above its difference to the first's"
    return Check("quality", near, f"{'Near enough' if near else 'Too far'}: its {told} ({floor_db:g} are asked for).")


def _by_words(quality: Quality, worse: tuple[float, float], margin: float) -> Check:
    low, high = worse
    name = {"wer": "word errors", "cer": "letter errors", "f1": "F1", "agreement": "agreement"}[quality.metric]
    told = f"{name} {quality.value:.2f} %, worse by {low:.2f} to {high:.2f} points on {quality.count} inputs"
    if high <= margin and quality.count < LEAST:
        return Check("quality", None, f"Undecided on quality: {told}; too few to tell, give it at least {LEAST}.")
    if high <= margin:
        return Check("quality", True, f"As good: {told} (95 %; at most {margin:g} is allowed).")
    if low > margin:
        return Check("quality", False, f"Worse: {told} (95 %; at most {margin:g} is allowed).")
    return Check("quality", None, f"Undecided on quality: {told}; {_more(quality.count, low, high, margin)}.")


def _more(count: int, low: float, high: float, margin: float) -> str:
    """Say how many inputs would decide it if the difference stayed: an interval shrinks as their root grows."""
    apart = abs((low + high) / 2 - margin)
    needed = math.ceil(count * ((high - low) / 2 / apart) ** 2) if apart > 0 else math.inf
    if needed > _FAR * count:
        return f"the difference is as good as the limit of {margin:g}, and no number of inputs would tell"
    return f"about {max(1, needed - count)} more inputs would tell"
