"""A class of the user's as a module of torch with the weights of a checkpoint, weight norm folded into its weights.

Importing a class runs the code of its file: whoever asks for it has to trust it. A checkpoint is read as weights alone,
which runs nothing. Knows nothing of ONNX.
"""

from __future__ import annotations

import sys
import zipfile
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.shrink.export.failure import first
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# Under which names trainers put the weights beside their own state.
_INSIDE = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."
_NAMED = 3


def built(where: str, arguments: Mapping[str, Any], code: Path | None = None) -> Any:
    """Import "package.module:Class" and call it; `code` is a folder that is looked in first.

    UsageError for what is not there, cannot be imported or called, or gives no module of torch's.
    """
    module, _, name = where.partition(":")
    if not module or not name:
        raise UsageError(f"{where!r} is not a class; write PACKAGE.MODULE:CLASS.")
    if code is not None and not code.is_dir():
        raise NotFoundError(f"There is no folder {code}.")
    found = _imported(module, name, code)
    import torch

    try:
        with quiet():
            made = found(**arguments)
    except Exception as error:  # whatever the user's code raises
        raise UsageError(f"{where} cannot be made ({first(error)}); see --argument.") from error
    if not isinstance(made, torch.nn.Module):
        raise UsageError(f"{where} gives {type(made).__name__}, not a torch.nn.Module.")
    return made.eval()


def load(module: Any, path: Path, key: str | None = None) -> None:
    """Load a checkpoint into a module; `key` says where in it the weights are, if not at the top or where usual.

    NotFoundError where there is none, DamagedError for what holds no weights, or more than weights, UsageError for
    weights of another module: it names the first that are missing, too many, or of another shape.
    """
    weights = _weights(_read(path), path, key)
    try:
        missing, extra = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        sizes = [line.strip() for line in str(error).splitlines() if "size mismatch" in line]
        said = (sizes or [first(error)])[0].rstrip(". ")
        raise UsageError(f"{path} does not fit {type(module).__name__}: {said}.") from error
    if missing or extra:
        said = "; ".join(
            f"{what}: {_some(names)}" for what, names in (("missing", missing), ("too many", extra)) if names
        )
        raise UsageError(f"{path} does not fit {type(module).__name__} ({said}).")


def folded(module: Any) -> int:
    """Fold weight norm, and what else computes weights of others, into plain weights; return how many there were."""
    import torch
    from torch.nn.utils import parametrize
    from torch.nn.utils.weight_norm import WeightNorm

    count = 0
    with quiet(), torch.no_grad():
        for part in module.modules():
            for hook in [each for each in part._forward_pre_hooks.values() if isinstance(each, WeightNorm)]:
                torch.nn.utils.remove_weight_norm(part, hook.name)
                count += 1
            if parametrize.is_parametrized(part):
                for name in [*part.parametrizations]:
                    parametrize.remove_parametrizations(part, name, leave_parametrized=True)
                    count += 1
    return count


def _imported(module: str, name: str, code: Path | None) -> Any:
    with _looking_in(code):
        try:
            found = import_module(module)
        except ModuleNotFoundError as error:
            where = "name its folder with --code" if code is None else f"it is not in {code} either"
            raise UsageError(f"There is no module {error.name!r}: {where}.") from error
        except Exception as error:  # whatever the user's code raises
            raise UsageError(f"{module} cannot be imported ({first(error)}).") from error
    made: Any = found
    for part in name.split("."):
        made = getattr(made, part, None)
    if not callable(made):
        raise UsageError(f"{module} has no class {name!r}.")
    return made


@contextmanager
def _looking_in(code: Path | None) -> Iterator[None]:
    before = list(sys.path)
    if code is not None:
        sys.path.insert(0, str(code.resolve()))
    try:
        with quiet():
            yield
    finally:
        sys.path[:] = before


def _read(path: Path) -> Any:
    import torch

    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    with path.open("rb") as file:
        begins = file.read(4)
    if begins == b"PK\x03\x04" and not zipfile.is_zipfile(path):
        raise DamagedError(f"{path} is cut: its end is missing; copy or download it again.")
    try:
        with quiet():
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several classes
        if "weights" in str(error).lower():
            raise DamagedError(
                f"{path} holds more than weights, which would run code: save the state_dict alone, with torch.save."
            ) from error
        raise DamagedError(f"PyTorch cannot read {path} ({first(error)}); copy or download it again.") from error


def _weights(found: Any, path: Path, key: str | None) -> dict[str, Any]:
    import torch

    for step in key.split(".") if key else ():
        if not isinstance(found, dict) or step not in found:
            raise UsageError(f"{path} has nothing at {key!r}; at the top it has {_some(_keys(found))}.")
        found = found[step]
    if not key and isinstance(found, dict):
        inner = [found[name] for name in _INSIDE if isinstance(found.get(name), dict)]
        found = inner[0] if len(inner) == 1 else found
    weights = dict(found) if isinstance(found, dict) else {}
    if not weights or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise UsageError(f"{path} is no state_dict; say where it is in it with --key ({_some(_keys(found))}).")
    if all(name.startswith(_PARALLEL) for name in weights):
        weights = {name.removeprefix(_PARALLEL): value for name, value in weights.items()}
    return weights


def _keys(found: Any) -> list[str]:
    return [str(name) for name in found] if isinstance(found, dict) else [type(found).__name__]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
