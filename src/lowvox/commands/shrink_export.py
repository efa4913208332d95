"""`lowvox shrink export torchscript|module|program`: any network of PyTorch's to ONNX, compared with its original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lowvox.commands.common import Console, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.shrink.export.onnx_graph import Exported
    from lowvox.shrink.export.parity import Distance
    from lowvox.shrink.export.source import Source

F = TypeVar("F", bound="Callable[..., Any]")

_PATH = click.Path(path_type=Path)
_INPUT = (
    "An input as NAME:TYPE:SIZES, in the order in which the network takes them; a letter is an axis of any length. "
    "Whole numbers are drawn from 0 and 1, or below a limit that comes last: ids:int64:1,T:256."
)
_SHOWN = 8


def _options(command: F) -> F:
    """Add what all three take; the command receives `wanted` with it."""
    from functools import wraps

    @click.option("-o", "--output", required=True, type=_PATH, metavar="OUT.onnx", help="Write here.")
    @click.option("--output-name", "outputs", multiple=True, metavar="NAME", help="Call the outputs so, in order.")
    @click.option("--opset", type=int, metavar="N", help="The set of operators; without it, 17, for a program 18.")
    @click.option("--lengths", metavar="N,N,...", help="Compare at these lengths of open axes.  [default: 24,50,133]")
    @click.option("--samples", type=_PATH, metavar="PATH", help="Compare on real inputs too: .npz files.")
    @click.option(
        "--tolerance", type=click.FloatRange(0, 1), default=1e-4, show_default=True, metavar="SHARE",
        help="How far results may be off, as a share of the largest number of an output.",
    )  # fmt: skip
    @click.option("--overwrite", is_flag=True, help="Replace what is there.")
    @wraps(command)
    def wrapped(
        *args: Any,
        output: Path,
        outputs: tuple[str, ...],
        samples: Path | None,
        tolerance: float,
        overwrite: bool,
        **kwargs: Any,
    ) -> Any:
        from lowvox.shrink.export import torchscript

        torchscript.require()
        wanted = {"out": output, "outputs": outputs, "samples": samples, "tolerance": tolerance, "overwrite": overwrite}
        return command(*args, wanted=wanted, **kwargs)

    return wrapped  # type: ignore[return-value]  # click adds attributes that the type cannot show


@click.command(
    "torchscript",
    epilog="\b\nExamples:\n"
    "  lowvox shrink export torchscript vocoder.pt -o vocoder.onnx --input mel:float32:1,80,T\n"
    "  lowvox shrink export torchscript tagger.pt -o tagger.onnx --input ids:int64:B,T:30000 --input mask:int64:B,T\n",
)
@click.argument("file", type=_PATH)
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help=_INPUT)
@_options
@common
def torch_script(
    console: Console,
    file: Path,
    inputs: tuple[str, ...],
    opset: int | None,
    lengths: str | None,
    wanted: dict[str, Any],
) -> None:
    """Convert a TorchScript module, such as torch.jit.save writes.

    FILE may also be a torch.package with one module in it, of which no Python code is run. The module itself runs: take
    it from a source that you trust.
    """
    from lowvox.shrink.export import inputs as export_inputs
    from lowvox.shrink.export import source as export_source

    specs, tried = export_inputs.several(inputs), export_inputs.lengths(lengths)
    _finish(console, export_source.torch_script(file, specs, tried, opset), wanted)


@click.command(
    "module",
    epilog="\b\nExamples:\n"
    "  lowvox shrink export module models:Vocoder --code ./vocoder --checkpoint g_02500000 --key generator \\\n"
    "    --argument channels=512 -o vocoder.onnx --input mel:float32:1,80,T\n",
)
@click.argument("where", metavar="PACKAGE.MODULE:CLASS")
@click.option("--checkpoint", type=_PATH, metavar="FILE", help="Its weights, as torch.save wrote them.")
@click.option("--key", metavar="KEY", help="Where in the checkpoint the weights are: generator, or model.decoder.")
@click.option("--code", type=_PATH, metavar="FOLDER", help="Where the module's code is, if it is not installed.")
@click.option(
    "--argument", "arguments", multiple=True, metavar="NAME=JSON", help="An argument of the class: channels=512."
)
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help=_INPUT)
@_options
@common
def module(
    console: Console,
    where: str,
    checkpoint: Path | None,
    key: str | None,
    code: Path | None,
    arguments: tuple[str, ...],
    inputs: tuple[str, ...],
    opset: int | None,
    lengths: str | None,
    wanted: dict[str, Any],
) -> None:
    """Convert a class of torch.nn.Module with the weights of a checkpoint; weight norm is folded.

    This imports the code of PACKAGE.MODULE and runs it: take it from a source that you trust. Of the checkpoint the
    weights alone are read, and nothing in it is run. The module is traced: what it decides by the values or the length
    of its input is decided once, which the comparison at other lengths finds out.
    """
    from lowvox.shrink.export import inputs as export_inputs
    from lowvox.shrink.export import module as export_module
    from lowvox.shrink.export import source as export_source

    specs, tried = export_inputs.several(inputs), export_inputs.lengths(lengths)
    made = export_module.built(where, dict(map(_argument, arguments)), code)
    if checkpoint is not None:
        export_module.load(made, checkpoint, key)
    else:
        console.note("No --checkpoint: the weights are what the class begins with.")
    count = export_module.folded(made)
    _finish(console, export_source.of_module(made, where, specs, tried, opset, count), wanted)


@click.command(
    "program",
    epilog="\b\nExamples:\n"
    "  lowvox shrink export program vocoder.pt2 -o vocoder.onnx\n\n"
    "This way also needs the package onnxscript.",
)
@click.argument("file", type=_PATH, metavar="FILE.pt2")
@_options
@common
def program(console: Console, file: Path, opset: int | None, lengths: str | None, wanted: dict[str, Any]) -> None:
    """Convert a program that torch.export.save wrote; it says itself what it takes.

    Which axes are open was decided when it was exported (dynamic_shapes). The program runs: take it from a source that
    you trust.
    """
    from lowvox.shrink.export import inputs as export_inputs
    from lowvox.shrink.export import source as export_source

    _finish(console, export_source.of_program(file, export_inputs.lengths(lengths), opset), wanted)


def _argument(text: str) -> tuple[str, Any]:
    from lowvox.errors import UsageError

    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals:
        raise UsageError(f"{text!r} is not an argument; write NAME=JSON, such as channels=512 or kind='\"wide\"'.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _finish(console: Console, source: Source, wanted: dict[str, Any]) -> None:
    from lowvox.shrink.export import onnx_graph as export

    done = export.export(source, **wanted)
    if console.json:
        console.emit(_told(done))
        return
    for line in _in_words(done):
        console.note(line)


def _told(done: Exported) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    return {
        "path": str(done.path),
        "size_mb": round(done.size / MB, 2),
        "opset": done.opset,
        "operators": done.operators,
        "folded": done.folded,
        "parity": {"random": done.random, "real": done.real},
    }


def _in_words(done: Exported) -> list[str]:
    kinds = [f"{count} {kind}" for kind, count in done.operators.items()]
    more = f" and {len(kinds) - _SHOWN} other kinds" if len(kinds) > _SHOWN else ""
    return [
        f"{done.path}: {done.size / MB:.1f} MB, set {done.opset} of operators: {', '.join(kinds[:_SHOWN])}{more}.",
        *(
            [f"{done.folded} weights that were computed of others (weight norm) are plain ones now."]
            * bool(done.folded)
        ),
        f"Compared on {done.random.inputs} random inputs: {_far(done.random)}.",
        *([f"Compared on {done.real.inputs} real inputs: {_far(done.real)}."] if done.real else []),
    ]


def _far(found: Distance) -> str:
    return f"{found.difference:.1g} apart at most, {found.share:.1g} of the largest number"
