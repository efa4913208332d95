"""What all commands share: their common options, and the console that results, notes and progress go through.

Results go to standard output, everything else to standard error. Knows nothing of speech.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Told (position, length), in the same unit.
    Progress = Callable[[float, float], None]

F = TypeVar("F", bound="Callable[..., Any]")


def explained(error: Exception) -> tuple[str, int]:
    """Return one sentence for a person and the exit status for any error."""
    from lowvox.errors import LowvoxError

    if isinstance(error, LowvoxError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "The machine has no memory left for this; close something or take less.", 3
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or 'standard input or output'}.", 1
    return f"lowvox failed where it should not ({type(error).__name__}: {error}); `--debug` shows where.", 1


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command speaks: `json` gives objects instead of text, `quiet` drops notes and progress."""

    json: bool
    quiet: bool

    def emit(self, result: object) -> None:
        """Print one JSON object on a line of standard output; dataclasses become objects."""
        import msgspec

        click.echo(msgspec.json.encode(result).decode())

    def note(self, text: str) -> None:
        """Tell the person something, on standard error."""
        if not self.quiet:
            click.echo(text, err=True)

    @property
    def interactive(self) -> bool:
        """Whether a person watches standard error."""
        return not self.quiet and sys.stderr.isatty()

    def complain(self, sentence: str) -> None:
        """Print what went wrong; work goes on with the next input."""
        click.echo(f"lowvox: {sentence}", err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Show a bar on a terminal while the block runs; call what it gives with (position, length)."""
        if not self.interactive:
            yield lambda *_: None
            return
        # The bar counts thousandths, so that seconds, bytes and sentences all fit.
        with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

            def reach(position: float, length: float) -> None:
                bar.update(max(0, round(1000 * min(position / max(length, 1e-9), 1.0)) - bar.pos))

            yield reach


def common(command: F) -> F:
    """Add `--json`, `--quiet` and `--debug`; the command receives a `console`."""
    from functools import wraps

    @click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
    @click.option("-q", "--quiet", is_flag=True, help="No notes and no progress.")
    @click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
    @wraps(command)
    def wrapped(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        return command(*args, console=Console(as_json, quiet), **kwargs)

    return wrapped  # type: ignore[return-value]  # click adds attributes that the type cannot show


budget_option = click.option(
    "--budget",
    metavar="SIZE",
    help="Memory for the whole of lowvox, such as 300MB; refused (exit 3) before loading when it does not fit.",
)


def listening(command: F) -> F:
    """Add the options of what listens; the command receives `hearing`, arguments for a `Speech`."""
    from functools import wraps

    @click.option("-l", "--language", metavar="LANG", help="Language spoken, such as en or de.")
    @click.option("-m", "--model", metavar="MODEL", help="Model name, or a model's folder; see `lowvox models`.")
    @click.option("--no-punctuation", is_flag=True, help="Leave the words as they are heard.")
    @click.option("--spoken-commands", is_flag=True, default=None, help='Write a spoken "comma" or "new line" as such.')
    @budget_option
    @wraps(command)
    def wrapped(
        *args: Any,
        language: str | None,
        model: str | None,
        no_punctuation: bool,
        spoken_commands: bool | None,
        budget: str | None,
        **kwargs: Any,
    ) -> Any:
        hearing = {
            "language": language,
            "model": model,
            "punctuation": False if no_punctuation else None,
            "spoken_commands": spoken_commands,
            "budget": budget,
        }
        return command(*args, hearing=hearing, **kwargs)

    return wrapped  # type: ignore[return-value]  # click adds attributes that the type cannot show
