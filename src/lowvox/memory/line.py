"""From what was seen while measuring to a footprint's numbers, such that its sums give back what was seen.

Pure; bytes throughout.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process held when the model was `loaded`, and with each stream `opened`; and its peaks from then on.

    `short` and `long` are the peaks while the streams worked one after the other on such inputs, `together` that of as
    many as may work at once; each at least the one before. `kept` is what all streams but the first added to what is
    held when nobody works.
    """

    loaded: int
    opened: tuple[int, ...]
    short: int
    long: int
    together: int
    kept: int


def fitted(seen: Seen, runs: int, shorter: float) -> tuple[int, int, int, float]:
    """Return (resident, stream, work, slope), of which `resident + streams * stream + runs * work` is the peak.

    That holds for one stream, for all of them one after the other, and for `runs` at once. The short input was
    `shorter` than the long one, in units of the slope.
    """
    count = len(seen.opened)
    if count == 1:
        stream = max(0, seen.opened[0] - seen.loaded)
    else:
        # What only the first stream takes belongs to the resident, what each keeps after its work to the streams.
        stream = _share(seen.opened[-1] - seen.opened[0] + seen.kept, count - 1)
    resident = max(seen.loaded, seen.opened[0] - stream)
    alone = max(0, seen.long - resident - count * stream)
    slope = (seen.long - seen.short) / shorter if shorter else 0.0
    if runs == 1:
        return resident, stream, alone, slope
    work = _share(seen.together - seen.long, runs - 1)
    if work > alone:  # further runs take more than the first
        return resident, stream, _share(seen.together - resident - count * stream, runs), slope
    # What only the first run takes belongs to the resident as well.
    return resident + alone - work, stream, work, slope


def _share(size: int, among: int) -> int:
    """Return the size by each of several, rounded up; nothing is less than nothing."""
    return max(0, -(-size // among))
