"""Whom an F5 voice speaks like: a recording of somebody with the words that are said in it.

The user's own, or one that came with the model. Knows no network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from lowvox.audio import reading
from lowvox.engines.f5.layout import RECORDINGS
from lowvox.engines.f5.plan import RATE
from lowvox.errors import DamagedError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHORTEST_S, _LONGEST_S = 0.5, 60.0  # the plan refuses what is too long for a chunk; this bounds what is read
_SILENT = 0.003  # of full scale: what never gets louder is no speech
_LOUDEST = 29491  # the peak that recordings are brought to, as the models were taught
_LISTED = 12


class Sample(msgspec.Struct, frozen=True):
    """One line of a model's own recordings; all but the first two are words to find it by."""

    file_name: str
    text: str
    gender: str = ""
    group: str = ""
    area: str = ""
    emotion: str = ""

    @property
    def name(self) -> str:
        """What it is chosen by."""
        return Path(self.file_name).stem

    def answers(self, wanted: set[str]) -> bool:
        """Whether it is all that is wanted, such as {"female", "northern"}."""
        return wanted <= {self.gender, self.group, self.area, self.emotion}


@dataclass(frozen=True, slots=True)
class Reference:
    """Somebody's voice: `audio` is int16 [n] at 24 kHz, `text` the words in it."""

    audio: NDArray[np.int16]
    text: str


def samples(folder: Path, name: str | None) -> tuple[Sample, ...]:
    """Read which recordings came with a model; none where it has no list of them. DamagedError for a broken list."""
    if name is None:
        return ()
    try:
        found = msgspec.json.decode((folder / name).read_bytes(), type=tuple[Sample, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{folder / name} is damaged ({error}); copy or pull the voice again.") from error
    if any(re.search(r"[/\\:\0]", one.file_name) or one.file_name in ("", ".", "..") for one in found):
        raise DamagedError(f"{folder / name} names files outside its folder; get the voice from another source.")
    return found


def given(reference: str | Path, text: str | None) -> Reference:
    """Return the user's own recording; UsageError without its words."""
    if not (text or "").strip():
        raise UsageError("A reference needs the words that are said in it: give reference_text as well.")
    return Reference(_audio(Path(reference)), str(text))


def bundled(listed: Path, found: Sequence[Sample], voice: str | None) -> Reference:
    """Return a recording that came with the model: by its name, by what it is ("female northern"), or the first one.

    `listed` is the file that describes them. UsageError where there is none at all, NotFoundError where none is such.
    """
    if not found:
        raise UsageError(
            "This voice speaks like somebody, and no recording came with it: give reference, a sound file of a few "
            "seconds, and reference_text, the words in it."
        )
    wanted = {word for word in re.split(r"[\s,+]+", (voice or "").lower()) if word}
    chosen = [one for one in found if one.name == voice] or [one for one in found if one.answers(wanted)]
    if not chosen:
        raise NotFoundError(f"The model has no recording {voice!r}; it has {_list(found)}.")
    return Reference(_audio(listed.with_name(RECORDINGS) / chosen[0].file_name), chosen[0].text)


def _audio(file: Path) -> NDArray[np.int16]:
    """Read a recording as int16 [n] at 24 kHz: without an offset, as loud as the models are used to.

    NotFoundError, DamagedError where there is no sound in it, UsageError where it is too short or far too long.
    """
    import soxr

    with reading.opened(file) as recording:
        blocks, done = [], 0
        for block in recording.mono():
            blocks.append(block)
            done += len(block)
            if done > _LONGEST_S * recording.rate:
                raise UsageError(f"{file.name} is longer than {_LONGEST_S:.0f} s; cut it to its first sentence.")
        sound = np.concatenate([np.zeros(0, np.float32), *blocks])
        if len(sound) < _SHORTEST_S * recording.rate:
            raise UsageError(f"{file.name} is shorter than {_SHORTEST_S} s; record a whole sentence.")
        mono: NDArray[np.float32] = sound if recording.rate == RATE else soxr.resample(sound, recording.rate, RATE)
    centred = mono - mono.mean()
    peak = float(np.abs(centred).max())
    if peak < _SILENT:
        raise DamagedError(f"{file.name} is silent; record it again, nearer to the microphone.")
    loud: NDArray[np.int16] = np.rint(centred * (_LOUDEST / peak)).astype(np.int16)
    return loud


def _list(found: Sequence[Sample]) -> str:
    names = ", ".join(one.name for one in found[:_LISTED])
    traits = sorted({word for one in found for word in (one.gender, one.group, one.area, one.emotion) if word})
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return names + more + (f", and what they are: {', '.join(traits)}" if traits else "")
