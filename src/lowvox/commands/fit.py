"""`lowvox fit`: the plan for a budget, before anything loads. Measures what was never measured, and says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, get_args

import click

from lowvox.commands.common import Console, budget_option, common

if TYPE_CHECKING:
    from lowvox.types import Role


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox fit --budget 300MB\n"
    "  lowvox fit --budget auto -l de --roles recognizer,synthesizer --streams 2 --json\n"
)
@click.option("-l", "--language", metavar="LANG", help="Language spoken, such as en or de.")
@click.option("--roles", metavar="LIST", help="Roles with commas between; without it all that have a model.")
@click.option("-m", "--model", metavar="MODEL", help="Recogniser, or a model's folder; see `lowvox models`.")
@click.option(
    "--streams", metavar="N", default=1, show_default=True, type=click.IntRange(1), help="Conversations at a time."
)
@budget_option
@common
def command(
    language: str | None, roles: str | None, model: str | None, streams: int, budget: str | None, console: Console
) -> int:
    """Plan a memory budget: what fits it and how it will run, before anything loads.

    Without --budget the one in the settings counts; without that the plan is the best there is. A model that was never
    measured on this machine is measured first, which takes seconds. The exit status is 3 when nothing fits; then the
    plan is the one that takes the least.
    """
    from lowvox.memory.planner import refusal
    from lowvox.report.plan import fit, text
    from lowvox.speech import Speech

    wanted = None if roles is None else parsed(roles)
    with Speech(budget=budget, language=language, model=model, on_note=console.note) as speech:
        plan = speech.fit(wanted, streams)
    if console.json:
        console.emit(fit(plan))
    else:
        click.echo(text(plan, sys.stdout.encoding), nl=False)
    if plan.fits:
        return 0
    console.complain(str(refusal(plan)))
    return 3


def parsed(roles: str) -> tuple[Role, ...]:
    """Read "recognizer, synthesizer", each once; UsageError names what is none."""
    from reprlib import repr as short

    from lowvox.errors import UsageError
    from lowvox.types import Role

    known: tuple[Role, ...] = get_args(Role)
    names = dict.fromkeys(name.strip().lower() for name in roles.split(","))
    if wrong := [name for name in names if name not in known]:
        raise UsageError(f"{short(wrong[0])} is no role; --roles takes {', '.join(known)} with commas between.")
    return tuple(role for role in known if role in names)
