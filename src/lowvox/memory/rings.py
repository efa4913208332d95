"""A ring of memory samples: one entry for each period, the oldest overwritten, in a buffer whose size never changes.

The buffer is at the same time the form in which a history lies in a file. Knows neither files nor where samples come
from.
"""

from __future__ import annotations

from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD = Struct("<dqqqdq")
SIZE = _RECORD.size
# The year 5138: what is later was never a time.
_LATEST = 1e11


class Entry(NamedTuple):
    """The last sample of a period and the highest PSS in it: seconds since 1970, bytes, processor seconds so far."""

    time: float
    pss: int
    rss: int
    uss: int
    cpu_s: float
    peak: int


class Ring:
    """`length` entries, one for every `period` seconds in which there was a sample."""

    def __init__(self, period: float, length: int) -> None:
        self.period = period
        self.length = length
        self.buffer = bytearray(length * SIZE)
        self._slot: int | None = None
        self._last = 0

    def feed(self, at: float, sample: Entry) -> int | None:
        """Take a sample; `at` is in seconds on a clock that never goes back.

        Returns the place of the entry that will not change any more, where a new period has begun.
        """
        slot = int(at // self.period)
        if slot == self._slot:
            highest = max(sample.peak, self._read(self._last).peak)
            _RECORD.pack_into(self.buffer, self._last * SIZE, *sample._replace(peak=highest))
            return None
        done = None if self._slot is None else self._last
        self._slot = slot
        self._last = 0 if done is None else (done + 1) % self.length
        _RECORD.pack_into(self.buffer, self._last * SIZE, *sample)
        return done

    def entries(self) -> list[Entry]:
        """Return what is kept, oldest first; the last entry's period may not be over."""
        after = self._last + 1
        return [entry for place in range(after, after + self.length) if (entry := self._read(place)).time]

    def record(self, place: int) -> bytes:
        """Return one entry as bytes."""
        return bytes(self.buffer[place * SIZE : (place + 1) * SIZE])

    def _read(self, place: int) -> Entry:
        return Entry(*_RECORD.unpack_from(self.buffer, place % self.length * SIZE))


def parse(buffer: bytes) -> Iterator[Entry]:
    """Read the entries of a ring's buffer in no particular order; places never written, or damaged, give nothing."""
    for fields in _RECORD.iter_unpack(buffer[: len(buffer) // SIZE * SIZE]):
        entry = Entry(*fields)
        if 0 < entry.time < _LATEST and isfinite(entry.cpu_s) and min(entry[1:]) >= 0:
            yield entry
