"""How an F5 voice is laid out: found out by looking, without loading it.

Three graphs and a vocabulary, as files or as one tar (VietVoice), whatever folders and prefixes its maker put before
their names; recordings to speak like may lie beside them. `lowvox.json` says what the graphs do not: above all for how
many steps they were exported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox.engines.f5.plan import HOP, LONGEST, RATE
from lowvox.errors import DamagedError, NotFoundError
from lowvox.models import archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FACTS = "lowvox.json"
PREPROCESS, TRANSFORMER, DECODE, VOCABULARY = "preprocess.onnx", "transformer.onnx", "decode.onnx", "vocab.txt"
SAMPLES, RECORDINGS = "audio_metadata.json", "cleaned_audios"
_NEEDED = (PREPROCESS, TRANSFORMER, DECODE, VOCABULARY)
# As VietVoice names its container, which has nothing to do with torch's.
_TARS = (".pt", ".tar")


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `lowvox.json` says; what it leaves out is as both published exporters have it.

    `steps` is what the graphs were exported for; their table has `updates` of the sound in it, of which `fused` are
    made in one run. `frames` is the most that they take.
    """

    engine: Literal["f5"] = "f5"
    steps: int = 32
    updates: int = 0
    fused: int = 1
    frames: int = LONGEST
    languages: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""

    @property
    def runs(self) -> int:
        """How often the transformer is run; one step less than there are, for they are the ends of what it goes."""
        return (self.updates or self.steps - 1) // self.fused


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are: names below the folder, or in the `tar`, by what they end in."""

    facts: Facts
    names: dict[str, str]
    tar: str | None = None


def layout(path: Path) -> Layout:
    """Look at a model folder; NotFoundError when it is no F5 voice, DamagedError says what is wrong with it."""
    names, tar = _named(_files(path)), None
    if TRANSFORMER not in names:
        names, tar = _in_tar(path)
    if TRANSFORMER not in names or not {PREPROCESS, DECODE} & set(names):
        raise NotFoundError(f"{path} holds no F5 voice.")
    if lacking := [name for name in _NEEDED if name not in names]:
        raise DamagedError(
            f"The F5 voice in {path} is incomplete: {', '.join(lacking)} missing or empty; copy or pull it again."
        )
    return Layout(_facts(path / FACTS), names, tar)


def _files(path: Path) -> Iterator[str]:
    for file in path.rglob("*"):
        if file.is_file() and file.stat().st_size:
            yield file.relative_to(path).as_posix()


def _in_tar(path: Path) -> tuple[dict[str, str], str | None]:
    """Return what the first tar in the folder holds of a voice, and its name; DamagedError for a hostile one."""
    import tarfile

    for file in sorted(path.glob("*")):
        if file.suffix in _TARS and file.is_file() and tarfile.is_tarfile(file):
            names = _named(member.name for member in archive.members(file) if member.open)
            if TRANSFORMER in names:
                return names, file.name
    return {}, None


def _named(names: Iterable[str]) -> dict[str, str]:
    """Find what belongs to a voice by how names end, in small letters; the one nearest to the top of several."""
    ends = (*_NEEDED, SAMPLES)
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        for end in ends:
            if name.lower().endswith(end):
                found.setdefault(end, name)
    return found


def _facts(file: Path) -> Facts:
    """Read the sidecar; a voice without one is as exported by default."""
    try:
        facts = msgspec.json.decode(file.read_bytes(), type=Facts)
    except FileNotFoundError:
        return Facts()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{file} is damaged ({error}); write it or copy the voice again.") from error
    sane = facts.steps > 1 and facts.fused > 0 and facts.updates >= 0 and facts.frames * HOP > RATE
    if not sane or (facts.updates or facts.steps - 1) % facts.fused:
        raise DamagedError(f"{file} has numbers that no export of F5 can have; write it or copy the voice again.")
    return facts
