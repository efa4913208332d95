"""What lies beside a lowered program (`.pte`): what it takes and gives, and how far it looks.

ExecuTorch's own file has neither names nor types. Knows nothing of torch.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox import extras
from lowvox.errors import DamagedError, NotFoundError
from lowvox.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".pte"
SIDECAR = ".pte.json"
Precision = Literal["fp32", "int8"]
_NEEDED = ("torch", "onnx", "executorch", "torchao")


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input: its shape, and which of its axes counts frames, None where none does.

    There may be fewer frames, from 1 on, unless it is `exact`.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    open: int | None = None
    exact: bool = False


class Lowered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program: its inputs and outputs in their order.

    Where it looks only so far, it is run in windows: `window` frames of each run are kept, `left` and `right` are seen
    beside them, and a frame becomes `hop` of the output. Elsewhere `window` is 0.
    """

    file: str
    inputs: tuple[Given, ...]
    outputs: tuple[str, ...]
    precision: Precision
    window: int = 0
    left: int = 0
    right: int = 0
    hop: int = 1
    version: int = 1

    @property
    def along(self) -> dict[str, int]:
        """The axis of frames of each input that has one."""
        return {given.name: given.open for given in self.inputs if given.open is not None}


def read(program: Path) -> Lowered:
    """Read what lies beside a program; NotFoundError where either is missing, DamagedError for something else."""
    if not program.is_file():
        raise NotFoundError(f"There is no program {program}; `lowvox shrink lower` writes one.")
    sidecar = program.with_suffix(SIDECAR)
    try:
        found = msgspec.json.decode(sidecar.read_bytes(), type=Lowered)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no {sidecar.name} beside {program}; copy both files.") from error
    except msgspec.MsgspecError as error:
        raise DamagedError(f"{sidecar} does not describe a lowered program ({error}); lower it again.") from error
    if found.version != 1:
        raise DamagedError(f"{sidecar} is not of this version of lowvox; lower the program again.")
    return found


def write(program: Path, data: bytes, told: Lowered) -> None:
    """Write a program and what lies beside it."""
    with replacing(program, "wb") as file:
        file.write(data)
    with replacing(program.with_suffix(SIDECAR), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(told)))


def require() -> None:
    """Raise NotFoundError, which names the command that installs it, where what lowering needs is missing."""
    if lacking := [name for name in _NEEDED if find_spec(name) is None]:
        raise NotFoundError(
            f"Lowering to ExecuTorch needs more than is installed ({' and '.join(lacking)}): run "
            f"`{extras.command('executorch')}`."
        )
