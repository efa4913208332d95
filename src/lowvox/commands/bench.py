"""`lowvox bench`: what models take and how good they are, one line for each model and batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from lowvox.commands.common import Console, common
from lowvox.commands.comparing import compared, measuring, show

if TYPE_CHECKING:
    from lowvox.types import Role

_ROLES = ("vad", "recognizer", "punctuator", "synthesizer", "graph")


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox bench synthesizer lowvox-voice --html voice.html\n"
    "  lowvox bench recognizer pocketsphinx-en-us --speech ./recordings --batch 1,2 --runs 10\n"
    "  lowvox bench graph decoder.onnx --samples ./samples\n"
)
@click.argument("role", metavar="ROLE", type=click.Choice(_ROLES))
@click.argument("names", metavar="MODEL...", nargs=-1, required=True)
@measuring
@common
def command(role: str, names: tuple[str, ...], asked: dict[str, Any], console: Console) -> None:
    """Measure models: size, load time, speed, memory and quality for each number of inputs at once.

    ROLE is vad, recognizer, punctuator or synthesizer, or graph. MODEL is the name of an installed or built-in model, a
    model's folder, NAME=PATH for the built-in model NAME with other files, or an .onnx or .ort file, which needs
    --samples. Each model and batch has a process of its own; what is drawn at random is drawn from fixed seeds.

    A voice is understood by a recogniser in fifty English sentences or --text; a recogniser is given --speech, a
    punctuator text that it has to mark again. A VAD is compared with the first one's decisions.
    """
    done = compared(names, None if role == "graph" else cast("Role", role), asked, console)
    show(f"lowvox bench: {', '.join(dict.fromkeys(row.variant for row in done.rows))}", done, asked, console)
