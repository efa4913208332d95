"""`lowvox shrink lower`: a voice's windowed stages, or a graph, as programs of ExecuTorch's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.shrink.executorch import graph as executorch_graph
    from lowvox.shrink.executorch import voice as executorch_voice
    from lowvox.shrink.trials.variant import Row

_RUNS = 20


@click.command(
    "lower",
    epilog="\b\nExamples:\n"
    "  lowvox shrink lower en_US-amy-medium -o ./amy-executorch\n"
    "  lowvox shrink lower decoder.onnx -o decoder.pte --window 32\n"
    "  lowvox shrink lower decoder.onnx -o decoder.int8.pte --int8 --samples ./samples\n\n"
    "It needs PyTorch and ExecuTorch, once: `pip install 'lowvox[executorch]'`. What comes out runs in ExecuTorch's "
    "own runtime, also where there is no Python.",
)
@click.argument("what", metavar="VOICE|GRAPH")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PATH",
    help="A .pte for a graph, a folder for a voice; without it, beside you, by its name.",
)  # fmt: skip
@click.option("--int8", is_flag=True, help="Round convolutions and linear layers to 8 bits.")
@click.option(
    "--window", type=click.IntRange(1, 4096), default=64, show_default=True, metavar="N",
    help="Frames of each run that are kept; for a graph that sees its whole input, the length of that.",
)  # fmt: skip
@click.option(
    "--samples", type=click.Path(path_type=Path), metavar="PATH",
    help="Real inputs of a graph, as .npz files: to compare on, and to measure ranges on for --int8.",
)  # fmt: skip
@click.option(
    "--exclude", multiple=True, metavar="NAME", help="With --int8: leave this node of a graph, or kind of operator."
)
@click.option("--measure", is_flag=True, help="Also time it beside ONNX Runtime, each in a process of its own.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@common
def lower(
    console: Console,
    what: str,
    output: Path | None,
    int8: bool,
    window: int,
    samples: Path | None,
    exclude: tuple[str, ...],
    measure: bool,
    overwrite: bool,
) -> None:
    """Lower a voice's stages or a graph to ExecuTorch with XNNPACK, and compare it with ONNX Runtime.

    VOICE is an installed voice of Piper's or vosk-tts's, the .onnx of one, or the folder of one that was split with
    --onnx: its front stays .onnx, and each stage becomes a program. GRAPH is any other .onnx. Inputs that are longer
    than a window run in several, the last of which is shifted to end where they end; shorter ones run as they are,
    except where the graph's own numbers depend on the length: then the program says what it takes. Nothing is written
    that differs from ONNX Runtime by more than 1e-4 of the largest number; how loud rounding is with --int8 is said.
    """
    from lowvox.errors import UsageError
    from lowvox.shrink.executorch import graph as graphs
    from lowvox.shrink.executorch import voice as voices

    stem = Path(what).stem + (".int8" if int8 else "")
    if exclude and not int8:
        raise UsageError("--exclude is for --int8: it says what stays in floats.")
    if not voices.is_voice(what):
        flags = {"int8": int8, "overwrite": overwrite}
        done = graphs.lower(
            Path(what), output or Path(f"{stem}.pte"), window, samples=samples, exclude=exclude, **flags
        )
        _graph_done(console, done, _measured(Path(what), done) if measure else [])
        return
    if samples is not None or exclude or measure:
        raise UsageError(
            "A voice brings its own sentences: leave out --samples, and --exclude and --measure its graphs one by one."
        )
    _voice_done(
        console, voices.lower(what, output or Path(f"{stem}-executorch"), window, int8=int8, overwrite=overwrite)
    )


def _measured(graph: Path, done: executorch_graph.Done) -> list[Row]:
    from lowvox.shrink.executorch.run import of_program
    from lowvox.shrink.trials import trial
    from lowvox.shrink.trials.measuring import measured

    subjects = [trial.of_graph(graph, [done.sample], (1,)), of_program(done.path, done.sample)]
    return [row for (row,) in measured(subjects, (1,), _RUNS)]


def _graph_done(console: Console, done: executorch_graph.Done, rows: list[Row]) -> None:
    if console.json:
        console.emit({
            "path": str(done.path), "size_mb": round(done.size / MB, 2), "precision": done.told.precision,
            "window": done.told.window, "left": done.told.left, "right": done.told.right, "hop": done.told.hop,
            "parity": {"inputs": done.inputs, "difference": done.difference, "distance_db": done.distance_db},
            "rows": rows,
        })  # fmt: skip
        return
    console.note(f"{done.path}: {done.size / MB:.1f} MB. {_takes(done)}")
    console.note(
        f"Compared with ONNX Runtime on {done.inputs} inputs: {done.difference:.1g} of the largest number at most, "
        f"{done.distance_db:.0f} dB below."
    )
    for row in rows:
        console.note(
            f"{row.variant} ({row.provider}): loads in {row.load_s:.2f} s, runs in {row.run_s * 1000:.1f} ms, peak "
            f"{row.peak_rss_mb:.0f} MB"
        )


def _takes(done: executorch_graph.Done) -> str:
    told = done.told
    exact = any(given.exact for given in told.inputs if given.open is not None)
    shorter = "no others" if exact else "or fewer"
    if told.window:
        return f"Takes {told.left} + {told.window} + {told.right} frames, {shorter}; a frame becomes {told.hop}."
    said = ", ".join(f"{given.name} {list(given.shape)}" for given in told.inputs)
    return f"Takes {said}" + (f", {shorter}." if told.along else ".")


def _voice_done(console: Console, done: executorch_voice.Done) -> None:
    if console.json:
        told: dict[str, Any] = {"difference": done.difference, "distance_db": done.distance_db, "frames": done.lengths}
        parts = [{"file": file, "size_mb": round(size / MB, 2)} for file, size in done.sizes.items()]
        console.emit({"path": str(done.folder), "parts": parts, "parity": told})
        return
    for file, size in done.sizes.items():
        console.note(f"{file}: {size / MB:.1f} MB")
    console.note(
        f"Sentences of {', '.join(map(str, done.lengths))} frames in windows differ from the voice's own by "
        f"{done.difference:.1g} at most, {done.distance_db:.0f} dB below."
    )
    console.note(f"Written to {done.folder}.")
