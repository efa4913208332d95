"""Writing an ONNX model whole or not at all, its weights beside it where they are more than one file can hold.

Knows nothing of where the model came from.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import onnx
from lowvox.errors import NotFoundError, UsageError
from lowvox.models.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 2**31 - 2**20  # bytes of weights in one file; protobuf holds 2 GB in all
BESIDE = ".data"
_SMALL = 1024  # bytes of a weight that stays in the graph: shapes are read before other files are


def refuse(out: Path, *, overwrite: bool) -> None:
    """Raise UsageError where something is there already that may not be replaced."""
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already; add --overwrite to replace it, or name another.")
    if out.is_dir():
        raise UsageError(f"{out} is a folder; name a file.")


@contextmanager
def near(out: Path) -> Iterator[Path]:
    """Lend a hidden folder beside a file that is to be; NotFoundError or OutputError where there is none to be had."""
    if not out.parent.is_dir():
        raise NotFoundError(f"There is no folder {out.parent}; make it with mkdir -p.")
    with writing(out):
        lent = Path(mkdtemp(prefix=f".{out.name[:40]}.", dir=out.parent))
        try:
            yield lent
        finally:
            shutil.rmtree(lent, ignore_errors=True)


def write(model: onnx.ModelProto, folder: Path, name: str, most: int = LARGEST) -> None:
    """Write a model into a folder; weights of more than `most` bytes go into one file beside it."""
    if size(model) <= most:
        onnx.save_model(model, folder / name)
        return
    onnx.save_model(
        model,
        folder / name,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{name}{BESIDE}",
        size_threshold=_SMALL,
    )


def publish(folder: Path, out: Path) -> None:
    """Move what `write` wrote to where it belongs, the weights first: a graph without them would be damaged."""
    beside, there = folder / f"{out.name}{BESIDE}", out.with_name(f"{out.name}{BESIDE}")
    if beside.exists():
        beside.chmod((folder / out.name).stat().st_mode)  # onnx writes it for its owner alone
        beside.replace(there)
    (folder / out.name).replace(out)
    if not beside.exists() and there.exists() and not _names(out, there.name):
        there.unlink()  # of the model that was replaced


def size(model: onnx.ModelProto) -> int:
    """Return the bytes of a model's weights."""
    return sum(len(weight.raw_data) or weight.ByteSize() for weight in model.graph.initializer)


def _names(graph: Path, beside: str) -> bool:
    """Whether a graph has weights in another file."""
    model = onnx.load(graph, load_external_data=False)
    return any(entry.value == beside for weight in model.graph.initializer for entry in weight.external_data)
