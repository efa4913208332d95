"""`lowvox demo`: the whole chain on one clip, and what it took."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, budget_option, common

if TYPE_CHECKING:
    from lowvox.speech import Speech
    from lowvox.types import Role


@click.command(epilog="\b\nExamples:\n  lowvox demo\n  lowvox demo talk.mp3 --budget 300MB --plot memory.html\n")
@click.argument("file", required=False)
@click.option("-l", "--language", metavar="LANG", help="Language spoken, such as en or de.")
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="Where the spoken text goes (WAV)."
)
@click.option("--plot", metavar="PATH", type=click.Path(path_type=Path), help="Draw the memory as .html or .png.")
@budget_option
@common
def command(
    file: str | None,
    language: str | None,
    output: Path | None,
    plot: Path | None,
    budget: str | None,
    console: Console,
) -> int:
    """Run the whole chain on a clip: text, speech, and the memory it took.

    Without FILE it takes a clip of seven seconds that comes with lowvox. That clip is synthesised speech.
    """
    from lowvox import folders, report
    from lowvox.audio import clip
    from lowvox.audio.writing import Writer
    from lowvox.memory import meter
    from lowvox.report.memory import table
    from lowvox.speech import Speech

    if plot:
        report.check(plot)  # now rather than after the work
    output = output or folders.cache() / "demo.wav"
    output.parent.mkdir(parents=True, exist_ok=True)
    with Speech(budget=budget, language=language, on_note=console.note) as speech, ExitStack() as stack:
        speaks = _speaks(speech, console)
        punctuates = speech.listeners()[2] is not None  # what does not fit is said now
        roles: dict[Role, bool] = {"vad": True, "recognizer": True, "punctuator": punctuates, "synthesizer": speaks}
        speech.fit([role for role, wanted in roles.items() if wanted])  # the table below knows every part's peak
        writer = stack.enter_context(Writer(output)) if speaks else None  # what cannot be written is said now
        if file is None:
            console.note("Listening to the clip that comes with lowvox (synthesised speech) ...")
        with console.progress("Listening") as reach:
            text = speech.transcribe(file or clip.PATH, reach).text
        _tell(console, f"Heard:   {text or '(no speech)'}")
        if writer:
            for audio in speech.say(text):
                writer.write(audio)
        memory = speech.memory()
        timeline = [(at, pss / meter.MB) for at, pss in speech.monitor.timeline]  # before drawing adds to it
    if plot:
        report.save(plot, memory, {"command": " ".join(["lowvox", *sys.argv[1:]])}, timeline)
    spoken = str(output) if writer and text else None
    if console.json:
        console.emit({"text": text, "audio": spoken, "memory": memory})
    _tell(console, f"Spoken:  {spoken}" if spoken else "Spoken:  nothing")
    _tell(console, f"\n{table(memory, sys.stdout.encoding)}")
    if plot:
        _tell(console, f"Drawn:   {plot}")
    return 0


def _tell(console: Console, text: str) -> None:
    if not console.json:
        click.echo(text)


def _speaks(speech: Speech, console: Console) -> bool:
    """Whether there is a synthesizer; a note says where it is not installed."""
    from lowvox.errors import NotFoundError

    try:
        speech.speaker()
    except NotFoundError as error:
        console.note(f"No speech this time: {error}")
        return False
    return True
