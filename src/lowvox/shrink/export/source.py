"""Where a network comes from: TorchScript, a class with a checkpoint, or a program of torch.export's.

Each is made the same: something that runs on arrays, inputs to try it on, and a way to write it as ONNX. Knows nothing
of what is compared and where it is written.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError, LowvoxError, UsageError
from lowvox.shrink.export import torchscript
from lowvox.shrink.export.failure import first, operator
from lowvox.shrink.export.inputs import cases
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.shrink.export.inputs import Spec

    Values = Mapping[str, NDArray[Any]]

TRACED, PROGRAM = 17, 18
_TRACED_MOST, _PROGRAM_MOST = 20, 23


@dataclass(frozen=True, slots=True)
class Source:
    """A network in torch: `run` gives its outputs, `convert` writes it as ONNX, `folded` counts what was folded."""

    name: str
    run: Callable[[Values], Sequence[NDArray[Any]]]
    inputs: Sequence[Values]
    convert: Callable[[Path, Sequence[str]], None]
    folded: int = 0


def torch_script(path: Path, specs: Sequence[Spec], tried: Sequence[int], opset: int | None = None) -> Source:
    """Open a TorchScript file; raises as `torchscript.modules`, UsageError where it holds several modules."""
    torchscript.require()
    found = torchscript.modules(path)
    if len(found) != 1:
        raise UsageError(f"{path} holds {len(found)} modules; save the one that you want in a file of its own.")
    return of_module(found[0], path.name, specs, tried, opset)


def of_module(
    module: Any, name: str, specs: Sequence[Spec], tried: Sequence[int], opset: int | None = None, folded: int = 0
) -> Source:
    """Return a module of torch's, which is traced; what the trace misses shows in the comparison at other lengths."""
    chosen = _opset(opset, TRACED, _TRACED_MOST)
    inputs = list(cases(specs, tried))
    module.eval()

    def run(given: Values) -> list[NDArray[Any]]:
        return _flat(_called(module, name, [given[spec.name] for spec in specs]))

    def convert(path: Path, outputs: Sequence[str]) -> None:
        import torch

        axes = {spec.name: dict(spec.open) for spec in specs if spec.open}
        example = tuple(torch.from_numpy(inputs[0][spec.name]) for spec in specs)
        axes |= _growing(run, inputs, outputs)
        with _failing(name), torch.no_grad():
            torch.onnx.export(
                module, example, str(path), dynamo=False, opset_version=chosen, do_constant_folding=True,
                input_names=[spec.name for spec in specs], output_names=list(outputs), dynamic_axes=axes,
            )  # fmt: skip

    return Source(name, run, inputs, convert, folded)


def of_program(path: Path, tried: Sequence[int], opset: int | None = None) -> Source:
    """Open a program of torch.export's (`.pt2`), which says itself what it takes and which axes are open.

    NotFoundError where there is none, DamagedError for what is none.
    """
    from lowvox.shrink.export import program as export_program

    torchscript.require(("torch", "onnx", "onnxscript"))
    chosen = _opset(opset, PROGRAM, _PROGRAM_MOST)
    program = export_program.loaded(path)
    names = export_program.names(program)
    module = program.module(check_guards=False)

    def run(given: Values) -> list[NDArray[Any]]:
        return _flat(_called(module, path.name, [given[name] for name in names]))

    def convert(out: Path, outputs: Sequence[str]) -> None:
        import torch

        with _failing(path.name), torch.no_grad():
            torch.onnx.export(
                program, (), str(out), dynamo=True, opset_version=chosen, verbose=False, input_names=list(names),
                output_names=list(outputs), optimize=True, external_data=True,
            )  # fmt: skip

    return Source(path.name, run, export_program.cases(program, tried), convert)


def _opset(asked: int | None, usual: int, most: int) -> int:
    least = usual if usual == PROGRAM else 13
    if asked is not None and not least <= asked <= most:
        raise UsageError(f"PyTorch writes this with sets of operators from {least} to {most}, not with {asked}.")
    return asked or usual


def _called(module: Any, name: str, given: Sequence[NDArray[Any]]) -> Any:
    import numpy as np
    import torch

    try:
        with quiet(), torch.no_grad():
            return module(*(torch.from_numpy(np.array(each)) for each in given))
    except Exception as error:  # whatever the user's code raises
        shapes = ", ".join(f"{each.dtype} {list(each.shape)}" for each in given)
        raise UsageError(f"{name} does not take inputs of {shapes} ({first(error)}); change --input.") from error


def _flat(made: Any) -> list[NDArray[Any]]:
    """Return all tensors of what a network gives, in order, however they are packed."""
    import torch
    from torch.utils import _pytree as pytree

    leaves = pytree.tree_leaves(made)
    return [leaf.detach().cpu().numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)]


def _growing(run: Any, inputs: Sequence[Values], outputs: Sequence[str]) -> dict[str, dict[int, str]]:
    """Return the axes of outputs whose length follows that of the inputs."""
    shapes = [[each.shape for each in run(given)] for given in inputs]
    found: dict[str, dict[int, str]] = {}
    for name, several in zip(outputs, zip(*shapes, strict=True), strict=True):
        axes = [at for at, sizes in enumerate(zip(*several, strict=False)) if len(set(sizes)) > 1]
        found[name] = {at: f"{name}.{at}" for at in axes}
    return found


@contextmanager
def _failing(name: str) -> Iterator[None]:
    """Name the operator that cannot be exported."""
    try:
        with quiet():
            yield
    except LowvoxError:
        raise
    except Exception as error:  # torch has several classes for this, and raises RuntimeError too
        raise DamagedError(f"{name} cannot be exported: {operator(error)}.") from error
