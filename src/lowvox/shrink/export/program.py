"""Programs of torch.export's: opened, and inputs drawn for what they say they take. Knows nothing of ONNX."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import DamagedError, NotFoundError
from lowvox.shrink.export.failure import first
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def loaded(path: Path) -> Any:
    """Read a program; NotFoundError where there is none, DamagedError for what is cut or something else."""
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    if not zipfile.is_zipfile(path):
        raise DamagedError(f"{path} is no program of torch.export's, or is cut; save it with torch.export.save.")
    import torch

    try:
        with quiet():
            return torch.export.load(path)
    except Exception as error:  # whatever torch raises
        raise DamagedError(
            f"PyTorch {torch.__version__} cannot read {path} as a program ({first(error)}); save it with "
            "torch.export.save."
        ) from error


def names(program: Any) -> tuple[str, ...]:
    """Return the names of the inputs, in order."""
    return tuple(str(name) for name in program.graph_signature.user_inputs)


def cases(program: Any, tried: Sequence[int], seed: int = 0) -> list[dict[str, NDArray[Any]]]:
    """Return random inputs, one for each length that the program allows; whole numbers are 0 or 1."""
    import torch

    dice = np.random.default_rng(seed)
    values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    made = []
    for length in tried:
        known = {symbol: _within(length, bounds) for symbol, bounds in program.range_constraints.items()}
        case = {}
        for name in names(program):
            shape = [_number(size, known) for size in values[name].shape]
            whole = torch.empty(0, dtype=values[name].dtype).numpy().dtype
            drawn = dice.standard_normal(shape) if whole.kind == "f" else dice.integers(0, 2, shape)
            case[name] = np.asarray(drawn).astype(whole)
        made.append(case)
    return made if program.range_constraints else made[:1]


def _within(length: int, bounds: Any) -> int:
    return max(int(bounds.lower), min(length, int(bounds.upper)))


def _number(size: Any, known: dict[Any, int]) -> int:
    return size if isinstance(size, int) else int(size.node.expr.subs(known))
