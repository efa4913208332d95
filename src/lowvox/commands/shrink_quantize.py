"""`lowvox shrink quantize`: a voice, or any ONNX graph with samples, in 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.commands.comparing import deciding, way
from lowvox.commands.shrink_voice_int8 import quantize_voice, refused
from lowvox.errors import NotFoundError, UsageError
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.shrink.rounding.graph_file import Kept

_METHODS, _CUTS = ("static", "dynamic", "fp16"), ("minmax", "percentile", "entropy")
_SHOWN = 5
# Options that say that MODEL is a graph and not a voice.
_OF_GRAPHS = ("samples", "evaluate", "method", "decides")


@click.command(
    "quantize",
    epilog="\b\nExamples:\n"
    "  lowvox shrink quantize en_US-amy-medium\n"
    "  lowvox shrink quantize ./en_US-amy-medium.onnx -o ./amy-int8\n"
    "  lowvox shrink quantize ./en_US-amy-medium.onnx --recipe ./amy-int8 -o ./again\n"
    "  lowvox shrink quantize decoder.onnx --samples ./inputs --evaluate ./others\n"
    "  lowvox shrink quantize decoder.onnx --samples ./inputs --floor 30\n"
    "  lowvox shrink quantize decoder.onnx --recipe decoder.int8.recipe.json\n",
)
@click.argument("model", metavar="MODEL")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Write the file, or a folder.")
@click.option("--name", metavar="NAME", help="Call the installed voice so; without it, MODEL-int8.")
@click.option("--onnx", is_flag=True, help="Keep a voice's parts as .onnx, for other tools; they take more memory.")
@click.option("--samples", type=click.Path(path_type=Path), metavar="PATH", help="Inputs: a folder of .npz, or one.")
@click.option("--evaluate", type=click.Path(path_type=Path), metavar="PATH", help="Others, to judge the result by.")
@click.option("--method", type=click.Choice(_METHODS), help="How; without it, static.")
@click.option("--per-tensor", is_flag=True, help="One scale for each weight instead of one for each channel.")
@click.option("--calibrate", type=click.Choice(_CUTS), help="How ranges are measured; without it, minmax.")
@click.option(
    "--percentile", type=click.FloatRange(50, 100), metavar="P", help="How many % of values; without it 99.99."
)
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave this node, or kind of operator, as it is.")
@click.option("--floor", type=float, metavar="DB", help="Leave alone what costs most until the result is so near.")
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Make what a recipe is of; a voice's are a folder.",
)
@deciding
@click.option(
    "--text", type=click.Path(path_type=Path), metavar="FILE", help="Sentences to judge a voice by, 30 or more."
)
@click.option("--no-words", is_flag=True, help="Judge a voice by its output alone: quicker.")
@click.option("--overwrite", is_flag=True, help="Replace the output.")
@click.option("--force", is_flag=True, help="Keep what the gate refuses.")
@common
def quantize(console: Console, model: str, output: Path | None, name: str | None, onnx: bool, **options: Any) -> None:
    """Round a voice, or any ONNX graph, to 8 bits: a quarter of the size, and quicker on most processors.

    MODEL is an installed voice, which stays beside the new one, or the .onnx file of one: it is cut in parts, and these
    are rounded by the ranges that values have in a few sentences. Recipes lie beside the parts; --recipe makes the same
    parts of them again, and measures nothing.

    Any other MODEL is an ONNX graph. Convolutions and products are rounded by the ranges that values have on --samples:
    .npz files with an array for each input, or one file with samples along their first axis. A recipe lies beside the
    result, which makes the same file again.

    The result is judged in processes of its own: it is kept if it is smaller, takes less memory, is quicker and as
    good. A voice is as good if no more of its words are misunderstood, where a recogniser here understands it, and else
    if what its parts give on a sentence that the rounding has not seen is near enough; a graph if what it gives on
    other samples is (--evaluate, or every fifth kept back).
    """
    _need_onnx()
    if not _is_graph(model, options):
        quantize_voice(console, model, output, name, _for_voice(options), {"onnx": onnx, **options})
        return
    if name or onnx:
        raise UsageError("--name and --onnx are for voices; a graph becomes one file, which -o names.")
    if options["text"] or options["no_words"]:
        raise UsageError("--text and --no-words are for voices; a graph is judged by --evaluate.")
    done = _quantized(Path(model).expanduser(), output, options)
    if console.json:
        console.emit(_told(done))
    else:
        for line in _in_words(done):
            console.note(line)
    if done.path is None and done.verdict:
        raise refused(done.verdict)


def _need_onnx() -> None:
    from importlib.util import find_spec

    from lowvox import extras

    if find_spec("onnx") is None:
        raise NotFoundError(f"Rounding needs the package onnx: run `{extras.command('split')}`.")


def _is_graph(model: str, options: dict[str, Any]) -> bool:
    """Whether somebody means a graph: they use what only graphs take, or it is a file with no voice's config beside."""
    path, recipe = Path(model).expanduser(), options["recipe"]
    if any(options[name] for name in _OF_GRAPHS) or options["threshold"] is not None:
        return True
    if not path.is_file() or (recipe and recipe.is_file()):
        return path.is_file()
    from lowvox.engines.piper import config as piper_config
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout

    return not (path.with_suffix(piper_config.SUFFIX).exists() or path.with_name(vosk_tts_layout.CONFIG).exists())


def _for_voice(options: dict[str, Any]) -> Any:
    """Return the plan for a voice, or the folder of recipes to make it by."""
    if options["overwrite"]:
        raise UsageError("--overwrite is for graphs; a voice goes into a new folder, or is installed under --name.")
    if options["recipe"]:
        _alone(options)
        return options["recipe"]
    return _plan(options)


def _quantized(source: Path, output: Path | None, options: dict[str, Any]) -> Kept:
    from lowvox.shrink.rounding import graph_file, recipe

    how: recipe.Plan | recipe.Recipe
    if options["recipe"]:
        _alone(options)
        how = recipe.read(options["recipe"])
    else:
        how = _plan(options)
    given = options["samples"], options["evaluate"]
    flags = {name: options[name] for name in ("overwrite", "force")}
    return graph_file.quantize(source, output, how, *given, **flags, deciding=way(options))


def _plan(options: dict[str, Any]) -> Any:
    from lowvox.shrink.rounding.recipe import Plan

    if options["percentile"] is not None and options["calibrate"] != "percentile":
        raise UsageError("--percentile is for --calibrate percentile.")
    told = {name: options[name] for name in ("method", "calibrate", "percentile", "floor") if options[name] is not None}
    return Plan(per_channel=not options["per_tensor"], exclude=tuple(options["exclude"]), **told)


def _alone(options: dict[str, Any]) -> None:
    """Raise UsageError where something is asked for that the recipe says."""
    said = [name for name in ("samples", "method", "calibrate", "percentile", "exclude", "floor") if options[name]]
    if said or options["per_tensor"]:
        name = (said or ["per-tensor"])[0]
        raise UsageError(f"A recipe says all of that itself; leave out --{name}.")


def _told(done: Kept) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    from dataclasses import asdict

    return {
        "path": str(done.path) if done.path else None,
        "recipe": str(done.recipe) if done.recipe else None,
        "whole_mb": round(done.whole / MB, 2),
        "size_mb": round(len(done.made.data) / MB, 2),
        "coverage": round(done.made.coverage, 2),
        "nodes": done.made.nodes,
        "left": list(done.made.recipe.left),
        "signal_over_noise_db": done.made.recipe.noise_db,
        "ranking": [{"node": node, "db": round(level, 2)} for node, level in done.made.ranking],
        "rows": [asdict(row) for row in done.rows],
        "verdict": asdict(done.verdict) | {"passed": done.verdict.passed} if done.verdict else None,
    }


def _in_words(done: Kept) -> list[str]:
    made, size = done.made, len(done.made.data)
    what = "to floats of 16 bits" if made.recipe.plan.method == "fp16" else "to 8 bits"
    lines = [
        f"{made.nodes} nodes with {made.coverage:.1f} % of the parameters rounded {what}.",
        f"{size / MB:.1f} MB instead of {done.whole / MB:.1f} ({size / done.whole:.2f} x).",
    ]
    if made.recipe.noise_db is not None:
        lines.append(f"What rounding adds is {made.recipe.noise_db:.1f} dB below what the graph gives.")
    if made.ranking:
        lines.append("The costliest, each alone: " + ", ".join(_node(each) for each in made.ranking[:_SHOWN]) + ".")
    if made.recipe.left:
        lines.append(f"Left alone: {', '.join(made.recipe.left)}.")
    if done.verdict:
        lines += [check.sentence for check in done.verdict.checks] + list(done.verdict.blame)
    elif done.path:
        lines.append("Not judged: give samples with --evaluate to have it measured.")
    return [*lines, f"Written to {done.path}, its recipe beside it."] if done.path else lines


def _node(each: tuple[str, float]) -> str:
    return f"{each[0]} {each[1]:.1f} dB"
