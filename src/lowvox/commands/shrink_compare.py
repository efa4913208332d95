"""`lowvox shrink compare`: variants beside the first of them, and whether each is worth having."""

from __future__ import annotations

from typing import Any

import click

from lowvox.commands.common import Console, common
from lowvox.commands.comparing import compared, measuring, show


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox shrink compare en_US-amy-medium en_US-amy-medium-int8 --html amy.html\n"
    "  lowvox shrink compare decoder.onnx decoder.int8.onnx --samples ./samples --batch 1\n"
    "  lowvox shrink compare vad.onnx vad.int8.onnx --samples ./frames --threshold 0.5\n"
)
@click.argument("first", metavar="FIRST")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@measuring
@common
def compare(first: str, others: tuple[str, ...], asked: dict[str, Any], console: Console) -> int:
    """Compare variants of a model with the first: smaller on disk, smaller at the peak, faster, and as good?

    Each is the name of a model, its folder, NAME=PATH for the built-in model NAME with other files, or an .onnx or .ort
    file, which needs --samples. The timed runs of all take turns; what is drawn at random is drawn from fixed seeds.

    Quality passes when the upper end of the paired 95 % interval is at most 0.5 points worse, on 30 inputs or more, and
    fails when the lower end is above that; without words to judge by the output must lie 20 dB above its difference to
    the first one's. Graphs that decide something are judged by how many decisions are the same with --threshold. The
    exit status is 1 when a variant fails, with the operators or layers to blame, and 0 when none does.
    """
    done = compared((first, *others), None, asked, console)
    variants = ", ".join(dict.fromkeys(row.variant for row in done.rows))
    show(f"lowvox shrink compare: {variants}", done, asked, console)
    return 0 if all(verdict.passed for verdict in done.verdicts) else 1
