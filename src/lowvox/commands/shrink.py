"""`lowvox shrink`: models made smaller and freed from PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.commands.converting import brought, where
from lowvox.commands.shrink_compare import compare
from lowvox.commands.shrink_export import module, program, torch_script
from lowvox.commands.shrink_files import operators, pack
from lowvox.commands.shrink_lower import lower
from lowvox.commands.shrink_pocket import pocket_tts
from lowvox.commands.shrink_quantize import quantize
from lowvox.commands.shrink_voice import split
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.shrink.parity import Parity
    from lowvox.shrink.silero_te.convert import Converted


@click.group(
    epilog="\b\nExamples:\n"
    "  lowvox shrink split en_US-amy-medium\n"
    "  lowvox shrink quantize en_US-amy-medium\n"
    "  lowvox shrink compare en_US-amy-medium en_US-amy-medium-int8 --html amy.html\n"
    "  lowvox shrink lower en_US-amy-medium -o ./amy-executorch\n"
    "  lowvox shrink export silero-te v2_4lang_q.pt\n"
    "  lowvox shrink export pocket-tts --config english_2m_2026-10\n\n"
    "`export` needs PyTorch, once: `pip install 'lowvox[shrink]'`; `lower` needs ExecuTorch as well: "
    "'lowvox[executorch]'; all else needs 'lowvox[split]' alone. "
    "What comes out runs without either."
)
def command() -> None:
    """Make a model smaller, or free it from PyTorch."""


command.add_command(split)
command.add_command(quantize)
command.add_command(compare)
command.add_command(pack)
command.add_command(operators)
command.add_command(lower)


@command.group()
def export() -> None:
    """Convert a model to ONNX and compare it with its original."""


export.add_command(pocket_tts)
export.add_command(torch_script)
export.add_command(module)
export.add_command(program)


@export.command(
    epilog="\b\nExamples:\n"
    "  lowvox shrink export silero-te v2_4lang_q.pt\n"
    "  lowvox shrink export silero-te te_model_jit.pt --tokenizer te_tokenizer_jit.pt -o ./my-te\n"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--tokenizer", type=click.Path(path_type=Path), metavar="FILE", help="The tokenizer, where it is in another file."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Write here; without it, install."
)
@click.option("--name", default="silero-te", show_default=True, metavar="NAME", help="Call the installed model so.")
@common
def silero_te(console: Console, file: Path, tokenizer: Path | None, output: Path | None, name: str) -> None:
    """Convert your own copy of Silero's text enhancement: punctuation in English, German, Spanish and Russian.

    FILE is the file that Silero released (v2_4lang_q.pt), or a TorchScript network beside its tokenizer. It is read by
    PyTorch, and its network runs: take it from a source that you trust. The Python code in it is not run. The model may
    not be used commercially, nor may what is made of it; lowvox never ships it. Converting takes a minute and 1.5 GB.
    """
    from lowvox.shrink.silero_te import convert as shrinking

    console.note(
        f"Silero TE is under {shrinking.LICENCE}. The converted model is your own copy, under the same licence."
    )
    done, path, installed = brought(lambda folder: shrinking.export(file, folder, tokenizer), output, lambda _: name)
    if console.json:
        console.emit(_told(done, path, installed))
        return
    for line in _in_words(done):
        console.note(line)
    console.note(where(done, path, installed))


def _told(done: Converted, path: Path, name: str | None) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    from dataclasses import asdict

    from lowvox.shrink.silero_te.convert import LICENCE

    return {
        "name": name,
        "path": str(path),
        "size_mb": round(done.size / MB, 1),
        "int8_layers": done.layers,
        "pieces": done.pieces,
        "licence": LICENCE,
        "parity": {"exact": asdict(done.exact), "as_run": asdict(done.as_run) if done.as_run else None},
    }


def _in_words(done: Converted) -> list[str]:
    exact = f"Compared on {done.exact.inputs} inputs: {_same(done.exact)}."
    if done.as_run is None:
        return [exact]
    return [
        f"{exact[:-1]}, with no input of its {done.layers} 8-bit layers rounded.",
        f"As both run: {_same(done.as_run)} (rounding alone; at best {done.as_run.closest:.1g}).",
    ]


def _same(parity: Parity) -> str:
    return (
        f"{parity.classes - parity.differing} of {parity.classes} classes are the same, "
        f"logits differ by {parity.max_difference:.1g} at most"
    )
