"""`lowvox punctuate`: lines of words to lines of sentences, as they come."""

from __future__ import annotations

from contextlib import closing, nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, budget_option, common

if TYPE_CHECKING:
    from collections.abc import Iterable


@click.command(
    epilog="\b\nExamples:\n"
    '  echo "hello how are you i am fine" | lowvox punctuate\n'
    "  lowvox punctuate -l de notes.txt > notes-with-commas.txt\n"
)
@click.argument("file", metavar="[FILE]", default="-")
@click.option(
    "-l", "--language", metavar="LANG", help="Language of the text: en, de, es, ru or vi; without it the text tells."
)
@budget_option
@common
def command(file: str, language: str | None, budget: str | None, console: Console) -> int:
    """Put punctuation and capitals into text: one line in, one line out.

    FILE is UTF-8 text; without it standard input. Words stay as they are and in order, and marks and capitals that are
    there already stay. A text of any length takes the same memory.
    """
    from lowvox.speech import Speech
    from lowvox.text import reading

    with reading.opened(file) as source:
        bar = console.progress("Punctuating") if source.size else nullcontext(lambda *_: None)
        with Speech(budget=budget, language=language, on_note=console.note) as speech, bar as reach:
            pieces = source.pieces(reach)
            if language is None:
                first = next((piece for piece in pieces if piece.strip()), "")
                speech.language = _told(first, speech.language, console)
                pieces = chain([first], pieces)
            with closing(speech.punctuate(pieces)) as done:
                for text in _lines(done) if console.json else done:
                    if console.json:
                        console.emit({"text": text, "language": speech.language})
                    else:
                        click.echo(text, nl=False)
    return 0


def _told(text: str, usual: str, console: Console) -> str:
    """Say which language the text is taken for: what its beginning tells, else the usual one."""
    from lowvox.text.language import NAMES, detect

    found = detect(text) or usual
    console.note(f"Taken for {NAMES.get(found, found)}; -l LANG says otherwise.")
    return found


def _lines(pieces: Iterable[str]) -> Iterable[str]:
    """Join pieces to lines without their ends."""
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
    if rest:
        yield rest
