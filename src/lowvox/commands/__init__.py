"""The command line: one file per subcommand, listed here, loaded only when called.

`main` is the only place that prints an error and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

import click

from lowvox import __version__

# name -> the line that `lowvox --help` shows; the first line of the command's own help says the same (a test).
COMMANDS = {
    "demo": "Run the whole chain on a clip: text, speech, and the memory it took.",
    "transcribe": "Turn recorded speech into text, of any length in flat memory.",
    "dictate": "Turn live speech into text as you speak.",
    "punctuate": "Put punctuation and capitals into text: one line in, one line out.",
    "say": "Speak text aloud or into a file.",
    "fit": "Plan a memory budget: what fits it and how it will run, before anything loads.",
    "ps": "Show what every running lowvox holds in memory, every byte attributed.",
    "top": "Watch what every running lowvox holds, until `q` or Ctrl-C.",
    "leaks": "Find out whether an engine gives its memory back, with numbers.",
    "tune": "Find the best ways to run a model on this machine, in memory and in speed.",
    "bench": "Measure models: size, load time, speed, memory and quality for each number of inputs at once.",
    "models": "List the models that are installed and those that `pull` can bring.",
    "pull": "Install a model by name, or from a folder or archive on disk.",
    "shrink": "Make a model smaller, or free it from PyTorch.",
    "rm": "Remove an installed model.",
    "config": "Show the settings, where each comes from, and where the file is.",
    "doctor": "Say what is installed, what is missing and the command for it.",
}


class _Commands(click.Group):
    """A group that imports a command only to run it, so that `lowvox --help` stays small and quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean `lowvox {near[0]}`?" if near else " `lowvox --help` lists the commands."
            raise click.UsageError(f"There is no command {cmd_name!r}.{hint}", ctx)
        command: click.Command = import_module(f"lowvox.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `lowvox demo`. Every command has `--help` with an example; `lowvox doctor` says what is amiss.",
)
@click.version_option(__version__, prog_name="lowvox")
def cli() -> None:
    """Offline speech in the RAM you have: dictation, transcription and speech synthesis."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _open_what_is_closed()
    signal.signal(signal.SIGINT, _interrupted)
    # A polite end, or the terminal's, tidies up as Ctrl-C does.
    for polite in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, polite):
            signal.signal(getattr(signal, polite), _ended)
    status = _status(arguments)
    try:
        sys.stdout.flush()
    except OSError:  # the reader has gone or the disk is full: what is left must not be tried again at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = status or 1
    sys.exit(status)


def _open_what_is_closed() -> None:
    """Give a process that was started without standard streams (`>&-`) empty ones."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            file = open(os.devnull, mode)  # noqa: SIM115, PTH123  # for as long as the process lives
            if file.fileno() != number:
                os.dup2(file.fileno(), number)
            setattr(sys, name, file)


def _ended(number: int, _: object) -> None:
    """End with the status that a shell gives to a signal."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _interrupted(*_: object) -> None:
    """End on the first Ctrl-C; a second one must not cut short the tidying up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _status(arguments: list[str]) -> int:
    """Run, turn every error into one sentence on standard error, and return the exit status."""
    from lowvox.commands.common import explained

    try:
        result = cli.main(arguments, prog_name="lowvox", standalone_mode=False)
    except click.ClickException as error:
        if "--debug" in arguments:
            raise
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:  # the last resort: one sentence, no traceback
        if "--debug" in arguments:
            import traceback

            traceback.print_exception(error)
        sentence, status = explained(error)
        click.echo(f"lowvox: {sentence}", err=True)
        return status
    return result if isinstance(result, int) else 0
