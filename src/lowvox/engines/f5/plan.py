"""How long an F5 voice speaks: the pace of a reference recording, and text cut so that each chunk fits beside it.

F5 has no durations of its own. It is told how many frames there are in all, those of the reference first, and fills the
rest: at the pace of the reference, by the length of the two texts. Pure; knows no network and no sound.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE, HOP = 24000, 256  # samples a second, samples a frame
LONGEST = 4096  # frames: reference and new sound together, where the export says nothing else
SHORTEST_S = 1.0  # of new sound: F5 swallows what is told to be shorter
# Left free in each chunk, in seconds: a voice that is a little slower than planned still ends inside.
_SPARE_S = 1.0
_SLOWEST = 2.0  # bytes a second: speech has four times as many
_PAUSE = 3  # bytes: how much longer a mark makes the text beside its own
_SHARE = 0.6  # of what is left for two chunks: the most that the first one gets
_MARKS = frozenset(".,?!:;…。，、；：？！")
# Where text is cut, best place first: behind a sentence, a clause, a word.
_CUTS = tuple(
    re.compile(mark) for mark in (r"[.!?…][^\w\s]*(?=\s)|[。？！]", r"[;:,][^\w\s]*(?=\s)|[、，；：]", r"(?=\s)")
)


def size(text: str) -> int:
    """Return the length of a text as F5 counts: bytes of UTF-8, and three more for every mark at which one pauses.

    Counted one by one: the patterns that the known runtimes look for match next to nothing.
    """
    return len(text.encode(errors="replace")) + _PAUSE * sum(character in _MARKS for character in text)


@dataclass(frozen=True, slots=True)
class Pace:
    """What is spoken in which time: `frames` and `said` (see `size`) of the reference; `room` is frames of a chunk.

    `rate` is a factor: 2 is twice as fast.
    """

    frames: int
    said: int
    room: int
    rate: float = 1.0

    @property
    def most(self) -> int:
        """The largest size of a chunk."""
        return max(1, min(self.room, math.floor(self.room * self.said * self.rate / self.frames)))

    def frames_for(self, text: str) -> int:
        """Return how many frames reference and text take together; the room holds every text up to `most`."""
        spoken = math.ceil(self.frames * size(text) / self.said / self.rate)
        # The network lays the characters along the frames: there is no fewer of these.
        spoken = max(spoken, len(text), _frames(SHORTEST_S))
        return self.frames + min(self.room, spoken)


def pace(samples: int, transcript: str, rate: float = 1.0, chunk_s: float = 15.0, longest: int = LONGEST) -> Pace:
    """Return the pace of a reference of so many samples.

    `chunk_s` is how long reference and new sound may be together, `longest` how many frames the network takes.
    UsageError where the reference leaves no room, or the transcript cannot be its own.
    """
    frames, whole = samples // HOP + 1, min(_frames(chunk_s), longest)
    room = whole - frames - _frames(_SPARE_S)
    if room < _frames(SHORTEST_S):
        raise _crowded(samples / RATE, chunk_s, longest)
    said = size(transcript)
    if len(transcript) > frames or said < _SLOWEST * samples / RATE:
        raise UsageError(
            f"The reference of {samples / RATE:.1f} s does not say the {len(transcript)} characters of reference_text; "
            "give the words of the recording, all of them and no others."
        )
    return Pace(frames, said, room, rate)


def chunks(text: str, most: int) -> Iterator[str]:
    """Cut a text into pieces of at most `most` (see `size`), none of them empty; a character is never cut.

    Behind the end of a sentence if there is one in the second half of a piece, else a clause, else a word, else
    anywhere.
    """
    text = text.strip()
    while _reach(text, most) < len(text):
        # The last two share what is left: a crumb would be stretched over a second.
        last = _reach(text, 2 * most) == len(text)
        cut = _cut(text, _reach(text, min(most, math.ceil(_SHARE * size(text))) if last else most))
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _reach(text: str, most: int) -> int:
    """Return how many characters at the beginning have a size of at most `most`, at least one if there is one."""
    taken = 0
    for at, character in enumerate(text):
        taken += size(character)
        if taken > most:
            return max(1, at)
    return len(text)


def _cut(text: str, reach: int) -> int:
    """Return where to cut so that no more than `reach` characters stand before."""
    for place in _CUTS:
        ends = [found.end() for found in place.finditer(text, 0, reach + 1) if reach // 2 < found.end() <= reach]
        if ends:
            return ends[-1]
    cut = reach
    while cut > 1 and unicodedata.combining(text[cut]):
        cut -= 1
    return cut


def _frames(seconds: float) -> int:
    return int(seconds * RATE) // HOP


def _crowded(seconds: float, chunk_s: float, longest: int) -> UsageError:
    whole = min(chunk_s, longest * HOP / RATE)
    most = whole - _SPARE_S - SHORTEST_S
    how = "or raise max_chunk_duration" if whole == chunk_s else "for the model takes no more"
    return UsageError(
        f"The reference is {seconds:.1f} s long and may be at most {max(most, 0):.1f} (reference and speech together "
        f"{whole:.1f}, of which {whole - max(most, 0):.1f} for speech); cut it to its first sentence, {how}."
    )
