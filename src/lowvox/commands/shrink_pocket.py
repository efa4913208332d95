"""`lowvox shrink export pocket-tts`: a Pocket TTS voice freed from PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.commands.converting import brought, where
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.shrink.pocket.export import Exported
    from lowvox.shrink.pocket.parity import Difference


@click.command(
    "pocket-tts",
    epilog="\b\nExamples:\n"
    "  lowvox shrink export pocket-tts --config english_2m_2026-10\n"
    "  lowvox shrink export pocket-tts --config ./my-voice.yaml --int8 -o ./my-voice\n",
)
@click.option(
    "--config", required=True, metavar="NAME|FILE.yaml", help="A configuration of pocket-tts 4.0.1, or one of your own."
)
@click.option(
    "--int8", is_flag=True, help="Round the large linear layers to 8 bits: a third of the memory for weights."
)
@click.option("--no-cloning", is_flag=True, help="Leave out what makes voices of recordings: 37 MB less on disk.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Write here; without it, install."
)
@click.option("--name", metavar="NAME", help="Call the installed model so; without it, by the configuration.")
@common
def pocket_tts(
    console: Console, config: str, int8: bool, no_cloning: bool, output: Path | None, name: str | None
) -> None:
    """Convert a Pocket TTS model: voices of 2 to 300 million weights that speak as they are shown to.

    A NAME is a configuration that the package pocket-tts ships; it fetches the weights from its hub, once, and for some
    of them you have to accept terms there. A FILE.yaml names weights of your own. The model is written only when its
    graphs give what the package gives. Converting takes a minute and 0.7 GB of memory for the smallest model, and
    several times both for the largest.
    """
    from lowvox.shrink.pocket import export as pocket

    done, path, installed = brought(
        lambda folder: pocket.export(config, folder, int8=int8, cloning=not no_cloning),
        output,
        lambda done: name or f"pocket-{done.facts.config}{'-int8' if int8 else ''}",
    )
    if console.json:
        console.emit(_told(done, path, installed))
        return
    for line in _in_words(done):
        console.note(line)
    console.note(where(done, path, installed))


def _told(done: Exported, path: Path, name: str | None) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    return {
        "name": name,
        "path": str(path),
        "size_mb": round(done.size / MB, 1),
        "parameters": done.parameters,
        "trained": done.trained,
        "precision": done.facts.precision,
        "flow": done.facts.flow,
        "tokenizer": done.facts.tokenizer.kind,
        "cloning": "encoder" in done.facts.graphs,
        "licence": done.facts.licence,
        "parity": {"exact": _numbers(done.exact), "rounded": _numbers(done.rounded) or None},
    }


def _numbers(found: dict[str, Difference]) -> dict[str, dict[str, float]]:
    return {name: {"difference": each.difference, "largest": each.largest} for name, each in found.items()}


def _in_words(done: Exported) -> list[str]:
    worst = max(done.exact.values(), key=lambda each: each.relative)
    together = done.exact["together"].difference
    lines = [
        (
            f"{done.parameters / 1e6:.1f} million weights; its sound differs from the package's by {together:.1g}, and "
            f"none of its graphs by more than {worst.relative:.1g} of the largest number."
        )
    ]
    if not done.trained:
        lines.append("This configuration names no weights: they are random, and so is what it says.")
    if done.rounded:
        said = done.rounded["backbone"].relative
        lines.append(f"In 8 bits what the backbone says differs by {said:.1%} of the largest number at most.")
    if "encoder" not in done.facts.graphs:
        lines.append("It cannot make voices of recordings; those that were made with the same weights can be used.")
    return lines
