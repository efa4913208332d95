"""A split model: the sidecar that names both parts and says how the second one is run in windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import DamagedError, NotFoundError
from lowvox.files import replacing
from lowvox.onnx.windows import Reach

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".split.json"


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part that is run in windows.

    `along` gives the axis of frames of each input that has one, `fixed` names the others. Its `output` has time as its
    last axis, `hop` samples a frame.
    """

    file: str
    along: dict[str, int]
    fixed: tuple[str, ...]
    output: str
    hop: int
    left: int
    right: int

    @property
    def reach(self) -> Reach:
        """How far it looks."""
        return Reach(self.left, self.right, self.hop)


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `lowvox shrink split` wrote: a front that sees the whole sentence, then stages that look only so far.

    `whole` is the sha256 of the graph that was split. `packed` is for stages in 8 bits: mapped as they are they take a
    quarter longer.
    """

    front: str
    stages: tuple[Stage, ...]
    whole: str
    version: int = 1
    packed: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The files of all parts, in the order in which they run."""
        return (self.front, *(stage.file for stage in self.stages))


def read(path: Path) -> Split:
    """Read a sidecar; DamagedError where it is none, or one of another version of lowvox."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Split)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no sidecar {path}; `lowvox shrink split` writes one.") from error
    except msgspec.MsgspecError as error:
        raise DamagedError(f"{path} is not a sidecar of a split voice ({error}); split the voice again.") from error
    sane = all(stage.along and stage.hop >= 1 and min(stage.left, stage.right) >= 0 for stage in found.stages)
    if found.version != 1 or not found.stages or not sane:
        raise DamagedError(f"{path} is not of this version of lowvox; split the voice again.")
    if any("/" in name or "\\" in name for name in found.files):
        raise DamagedError(f"{path} names files outside its folder; split the voice again.")
    return found


def write(path: Path, told: Split) -> None:
    """Write a sidecar, whole or not at all."""
    with replacing(path, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(told)))
