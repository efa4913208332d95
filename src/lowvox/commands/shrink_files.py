"""`lowvox shrink pack` and `operators`: graphs in files that are mapped, and what a runtime needs for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.shrink.shipping.pack import Form, Packed


@click.command(
    "pack",
    epilog="\b\nExamples:\n"
    "  lowvox shrink pack encoder.onnx decoder.onnx -o packed\n"
    "  lowvox shrink pack fp32.onnx int8.onnx --form weights -o shared\n",
)
@click.argument("graphs", metavar="GRAPH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="Write here.")
@click.option(
    "--form",
    default="ort",
    show_default=True,
    type=click.Choice(["ort", "weights"]),
    help="ONNX Runtime's own format, or weights in one file beside the graphs, those in common once.",
)
@click.option("--inputs", type=click.Path(path_type=Path), metavar="FILE", help="Compare on these arrays (.npz).")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@common
def pack(
    console: Console, graphs: tuple[Path, ...], output: Path, form: Form, inputs: Path | None, overwrite: bool
) -> None:
    """Write ONNX graphs in files that are mapped into memory instead of read.

    What comes out is compared with what went in, on random inputs or on --inputs, and kept only where it gives bit by
    bit the same.
    """
    _require()
    from lowvox.shrink.shipping import pack as packing

    done = packing.pack(graphs, output, form, inputs, overwrite=overwrite)
    if console.json:
        console.emit(_told(done))
        return
    for line in _in_words(done):
        console.note(line)


@click.command(
    "operators",
    epilog="\b\nExamples:\n"
    "  lowvox shrink operators lowvox-te lowvox-voice -o required_operators.config\n"
    "  lowvox shrink operators en_US-amy-medium decoder.onnx\n",
)
@click.argument("models", metavar="MODEL|GRAPH...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the list here.")
@common
def operators(console: Console, models: tuple[str, ...], output: Path | None) -> None:
    """List the operators that models need, for an ONNX Runtime that has no others.

    The list is what ONNX Runtime's build takes: build.sh --include_ops_by_config FILE
    --enable_reduced_operator_type_support. MODEL is an installed model, one that comes with lowvox, or a folder; GRAPH
    is an .onnx or .ort file.
    """
    from lowvox.files import replacing
    from lowvox.shrink.shipping import operators as listing
    from lowvox.shrink.trials import sources

    graphs = [graph for model in models for graph in sources.graphs(model)]
    with console.progress("Reading graphs") as reach:
        found = listing.needed(_counted(graphs, reach))
    text = listing.config(found, [graph.name for graph in graphs])
    if output is not None:
        with replacing(output) as file:
            file.write(text)
        console.note(f"Written to {output}: {len(found)} operators of {len(graphs)} graphs.")
    if console.json:
        console.emit({"graphs": [*map(str, graphs)], "operators": found, "path": output and str(output)})
    elif output is None:
        click.echo(text, nl=False)


def _counted(graphs: list[Path], reach: Any) -> Iterator[Path]:
    """Yield the graphs and tell how far it is."""
    for number, graph in enumerate(graphs):
        reach(number, len(graphs))
        yield graph


def _require() -> None:
    from importlib.util import find_spec

    from lowvox import extras
    from lowvox.errors import NotFoundError

    if find_spec("onnx") is None:
        raise NotFoundError(f"Packing graphs needs the package onnx: run `{extras.command('split')}`.")


def _told(done: Packed) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    return {
        "path": str(done.folder),
        "form": done.form,
        "files": [
            {
                "graph": file.graph,
                "file": file.file,
                "bytes_before": file.before,
                "bytes_after": file.after,
                "inputs": file.inputs,
                "identical": True,
                "difference": file.difference,
            }
            for file in done.files
        ],
        "weights_bytes": done.weights,
        "saved_bytes": done.saved,
        "bytes_before": done.before,
        "bytes_after": done.after,
        "load_peak_rss_mb_before": round(done.peak_before / MB, 1),
        "load_peak_rss_mb_after": round(done.peak_after / MB, 1),
    }


def _in_words(done: Packed) -> list[str]:
    beside = [f"The weights of all: {done.weights / MB:.2f} MB, {done.saved / MB:.2f} MB of them in common."]
    return [
        *(
            f"{file.graph} ({file.before / MB:.2f} MB) -> {file.file} ({file.after / MB:.2f} MB): the same bit by bit "
            f"on {file.inputs} inputs{_off(file.difference)}."
            for file in done.files
        ),
        *(beside if done.form == "weights" else []),
        f"On disk {done.before / MB:.2f} MB -> {done.after / MB:.2f} MB.",
        f"A process that loads all of it peaks at {done.peak_before / MB:.0f} MB -> {done.peak_after / MB:.0f} MB.",
        f"Written to {done.folder}.",
    ]


def _off(difference: float) -> str:
    return f" (as they run, {difference:.1g} apart at most)" if difference else ""
