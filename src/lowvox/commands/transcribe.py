"""`lowvox transcribe`: files to text. Decides what goes where, what is skipped and how many go at once."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common, explained, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from lowvox.speech import Speech

SUFFIXES = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}


@dataclass(frozen=True, slots=True)
class Job:
    """One input and where its text goes; None is standard output."""

    source: str
    target: Path | None

    @property
    def name(self) -> str:
        """What to call it."""
        return "standard input" if self.source == "-" else Path(self.source).name

    @property
    def done(self) -> bool:
        """Whether an earlier run has written it: results appear whole or not at all, so being there is enough."""
        if self.target is None or not self.target.exists() or not Path(self.source).exists():
            return False
        return self.target.stat().st_mtime >= Path(self.source).stat().st_mtime


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox transcribe talk.mp3\n"
    "  lowvox transcribe *.flac --format srt -o subtitles/ --jobs 2 --budget 400MB\n"
)
@click.argument("files", nargs=-1, required=True)
@listening
@click.option("--format", "form", type=click.Choice(list(SUFFIXES)), default="text", show_default=True)
@click.option("-o", "--output", metavar="PATH", help="A file; or a folder, which then holds one text for each input.")
@click.option("--force", is_flag=True, help="Do again what the output folder already holds.")
@click.option("-j", "--jobs", default=1, show_default=True, type=click.IntRange(1), help="Files at a time.")
@click.option("--threads", type=click.IntRange(1), help="Threads that an engine may use.")
@common
def command(
    files: tuple[str, ...],
    hearing: dict[str, Any],
    form: str,
    output: str | None,
    force: bool,
    jobs: int,
    threads: int | None,
    console: Console,
) -> int:
    """Turn recorded speech into text, of any length in flat memory.

    FILES are WAV, FLAC, OGG, MP3 or anything else that libsndfile reads, at any rate and with any number of channels;
    "-" is standard input. A batch that was interrupted goes on where it stopped when its output is a folder.
    """
    work = plan(files, output, form)
    todo = [job for job in work if force or not (job.done and _is_folder(output))]
    for job in work:
        if job not in todo:
            console.note(f"{job.source}: already in {job.target} (--force does it again).")
    if not todo:
        return 0

    from lowvox.speech import Speech

    with Speech(**hearing, threads=threads, on_note=console.note) as speech:
        speech.listeners()  # what does not fit is said before anything is read
        if output and _is_folder(output):
            Path(output).mkdir(parents=True, exist_ok=True)
        together = speech.at_once(min(jobs, len(todo)))
        if together < min(jobs, len(todo)):
            console.note(f"The budget of {speech.manager.budget} holds {together} of {jobs} jobs at once.")
        return run(speech, todo, form, together, console)


def plan(files: tuple[str, ...], output: str | None, form: str) -> list[Job]:
    """Decide where each input's text goes."""
    if output is None:
        return [Job(file, None) for file in files]
    if not _is_folder(output) and len(files) == 1:
        return _apart([Job(files[0], Path(output))])
    if not _is_folder(output):
        raise click.UsageError(
            f"{len(files)} inputs do not fit into one file: end the folder's name with /: -o {output}/"
        )
    jobs = [Job(file, Path(output) / (_stem(file, files) + SUFFIXES[form])) for file in files]
    return _apart(jobs)


def _apart(jobs: list[Job]) -> list[Job]:
    """Refuse a text that would be written over another one, or over a sound."""
    targets = [job.target for job in jobs]
    if twice := next((target for target in targets if targets.count(target) > 1), None):
        raise click.UsageError(f"Two inputs would both be written to {twice}; give them different names.")
    sounds = [Path(job.source) for job in jobs if Path(job.source).is_file()]
    for target in targets:
        if target is not None and target.exists() and any(target.samefile(sound) for sound in sounds):
            raise click.UsageError(f"The text would be written over the sound in {target}; choose another --output.")
    return jobs


def _stem(file: str, files: tuple[str, ...]) -> str:
    """Name a text after its input; two inputs that differ in their suffix alone keep it."""
    if file == "-":
        return "stdin"
    path = Path(file)
    return path.name if sum(Path(other).stem == path.stem for other in files) > 1 else path.stem


def run(speech: Speech, jobs: list[Job], form: str, together: int, console: Console) -> int:
    """Do the jobs, `together` at a time, and return the highest exit status; what is printed comes in order."""
    if together == 1:
        return max(_status(partial(_one, speech, job, form, console, _print), console) for job in jobs)
    from concurrent.futures import ThreadPoolExecutor

    held = [StringIO() for _ in jobs]
    calm = Console(console.json, quiet=True)  # several bars would fight for one line
    with ThreadPoolExecutor(together) as pool:
        pending = [pool.submit(_one, speech, job, form, calm, out.write) for job, out in zip(jobs, held, strict=True)]
        try:
            return max(_status(partial(_release, done, out), console) for done, out in zip(pending, held, strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            speech.close()
            raise


def _one(speech: Speech, job: Job, form: str, console: Console, out: Callable[[str], object]) -> None:
    """Do one job; what belongs on standard output goes to `out` as it comes."""
    from lowvox.files import replacing
    from lowvox.report.transcripts import render

    watched = job.target is None and not console.json and sys.stdout.isatty()  # the text itself shows how far it is
    bar = nullcontext(_ignore) if watched else console.progress(job.name)
    with bar as reach, ExitStack() as stack:
        if console.json:
            transcript = speech.transcribe(job.source, reach)
            segments = iter(transcript.segments)
        else:
            segments = stack.enter_context(closing(speech.segments(job.source, reach)))
        if job.target is not None:
            stack.enter_context(replacing(job.target)).writelines(render(form, segments))
        elif not console.json:
            for piece in render(form, segments):
                out(piece)
    if console.json:
        import msgspec

        file = os.fsencode(job.source).decode(errors="replace")
        # Joined as text: an hour's transcript as a tree of dictionaries takes 4 MB more.
        out(f'{{"file":{msgspec.json.encode(file).decode()},{msgspec.json.encode(transcript).decode()[1:]}\n')


def _release(done: Future[None], out: StringIO) -> None:
    """Wait for a job that ran beside others and print what it held back."""
    done.result()
    _print(out.getvalue())


def _status(work: Callable[[], None], console: Console) -> int:
    """Do one job; an error becomes one line and an exit status, and the other jobs go on."""
    try:
        work()
    except BrokenPipeError:
        raise
    except Exception as error:
        sentence, status = explained(error)
        console.complain(sentence)
        return status
    return 0


def _print(text: str) -> None:
    click.echo(text, nl=False)


def _ignore(position: float, length: float) -> None:
    """Show no progress."""


def _is_folder(output: str | None) -> bool:
    return output is not None and (output.endswith("/") or Path(output).is_dir())
