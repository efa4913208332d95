"""What `lowvox bench` and `lowvox shrink compare` share: options, which models are meant, and where results go."""

from __future__ import annotations

import os
import platform
import sys
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lowvox.errors import LowvoxError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lowvox.commands.common import Console
    from lowvox.shrink.trials.comparison import Comparison, How
    from lowvox.shrink.trials.decisions import Deciding
    from lowvox.types import Model, Role

F = TypeVar("F", bound="Callable[..., Any]")
GRAPHS = frozenset({".onnx", ".ort"})
_ASKED = (
    *("batch", "runs", "threads", "provider", "language", "text", "speech", "samples", "recognizer"),
    *("margin", "floor", "threshold", "decides", "no_quality", "html", "markdown"),
)
_EARS = "pocketsphinx-en-us"
# Sentences on the page: the sound is in it, and it is sent by mail.
_HEARD = 3


def measuring(command: F) -> F:
    """Add the options of what measures; the command receives them as `asked`, by their names."""

    @click.option("--batch", default="1,2,4,8", show_default=True, metavar="LIST", help="Inputs at once.")
    @click.option("--runs", default=100, show_default=True, type=click.IntRange(1), help="Timed runs, after warm-up.")
    @click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of one run.")
    @click.option("--provider", default="cpu", show_default=True, metavar="NAME", help="What computes: cpu, cuda, ...")
    @click.option(
        "-l", "--language", metavar="LANG", help="Language of text and speech; without it the model's, or en."
    )
    @click.option("--text", type=click.Path(path_type=Path), metavar="FILE", help="Sentences, one to a line.")
    @click.option("--speech", type=click.Path(path_type=Path), metavar="FOLDER", help="Recordings and transcripts.")
    @click.option("--samples", type=click.Path(path_type=Path), metavar="PATH", help="Inputs of graphs, as .npz.")
    @click.option("--recognizer", metavar="MODEL", help="What listens to voices; without it PocketSphinx, for English.")
    @click.option("--margin", default=0.5, show_default=True, metavar="POINTS", help="How much worse is as good.")
    @click.option("--floor", default=20.0, show_default=True, metavar="DB", help="How near is as good, without words.")
    @deciding
    @click.option("--no-quality", is_flag=True, help="Measure memory and speed alone.")
    @click.option(
        "--html", type=click.Path(path_type=Path), metavar="PAGE", help="Write a page with drawings and sound."
    )
    @click.option("--markdown", is_flag=True, help="Print Markdown.")
    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        asked = {name: kwargs.pop(name) for name in _ASKED}
        return command(*args, asked=asked, **kwargs)

    return wrapped  # type: ignore[return-value]  # click adds attributes that the type cannot show


def deciding(command: F) -> F:
    """Add the options of what decides by a threshold; the command receives them as `threshold` and `decides`."""
    threshold = click.option(
        "--threshold", type=float, metavar="X", help="Judge graphs by how many decisions are the same: X or above."
    )
    decides = click.option("--decides", metavar="OUTPUT", help="What is compared with X; without it the first output.")
    return threshold(decides(command))


def way(asked: dict[str, Any]) -> Deciding | None:
    """Return how graphs decide, None where no threshold is told; UsageError for an output without one."""
    from lowvox.shrink.trials.decisions import Deciding

    if asked["threshold"] is None:
        if asked["decides"]:
            raise UsageError("--decides is for --threshold, which says from where on something is decided.")
        return None
    return Deciding(asked["threshold"], asked["decides"])


def compared(names: Sequence[str], role: Role | None, asked: dict[str, Any], console: Console) -> Comparison:
    """Measure and judge the models or graphs of these names; without a `role` it is that of the first."""
    how = _how(asked, console)
    _check(asked)
    if any(_is_graph(name) for name in names):
        return _graphs(names, asked, how, console)
    if asked["threshold"] is not None:
        raise UsageError("--threshold is for .onnx and .ort files; models of a role are judged by what they are for.")
    if asked["samples"]:
        raise UsageError("--samples is for .onnx and .ort files; models of a role take --text or --speech.")
    return _models(names, role, asked, how, console)


def show(title: str, done: Comparison, asked: dict[str, Any], console: Console) -> None:
    """Print the result, and write the page where one is asked for."""
    from lowvox.report import variants

    if asked["html"]:
        _write(asked["html"], title, done)
        console.note(f"Written to {asked['html']}.")
    if console.json:
        console.emit(variants.document(done.rows, done.verdicts))
    elif asked["markdown"]:
        click.echo(variants.markdown(done.rows, done.verdicts), nl=False)
    else:
        click.echo(variants.text(done.rows, done.verdicts, sys.stdout.encoding), nl=False)


def _how(asked: dict[str, Any], console: Console) -> How:
    from lowvox.onnx import providers
    from lowvox.shrink.trials.comparison import How

    try:
        batches = sorted({int(word) for word in asked["batch"].split(",")})
    except ValueError:
        batches = [0]
    if batches[0] < 1:
        raise UsageError(f"--batch takes numbers from 1 with commas between, such as 1,4; not {asked['batch']!r}.")
    provider, *_ = providers.usable(asked["provider"], console.note)
    quality = not asked["no_quality"]
    limits = asked["margin"], asked["floor"]
    return How(tuple(batches), asked["runs"], asked["threads"], provider, quality, *limits, way(asked))


def _check(asked: dict[str, Any]) -> None:
    """Find out before the work whether the page can be written after it."""
    page = asked["html"]
    if page is None:
        return
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"The page is written as .html; {page.name!r} does not end in it.")
    if not page.resolve().parent.is_dir():
        raise NotFoundError(f"There is no folder {page.resolve().parent}; make it with mkdir -p.")


def _graphs(names: Sequence[str], asked: dict[str, Any], how: How, console: Console) -> Comparison:
    from lowvox.shrink.trials import comparison

    if other := next((name for name in names if not _is_graph(name)), None):
        raise UsageError(f"{other!r} is no .onnx or .ort file, and the others are; compare graphs with graphs.")
    if asked["samples"] is None:
        raise UsageError("A graph is run on samples: name an .npz file, or a folder of them, with --samples.")
    paths = [Path(name) for name in names]
    if missing := next((path for path in paths if not path.is_file()), None):
        raise NotFoundError(f"There is no file {missing}; check the name.")
    samples = comparison.read_samples(asked["samples"], paths)
    with console.progress("Measuring") as reach:
        return comparison.graphs(
            list(zip(_apart(paths), paths, strict=True)), comparison.some(samples), how, reach, samples
        )


def _models(names: Sequence[str], role: Role | None, asked: dict[str, Any], how: How, console: Console) -> Comparison:
    from lowvox.shrink.trials import comparison
    from lowvox.shrink.trials.material import material

    found = [_model(name, role) for name in names]
    named = list(zip(_labels(names, found), found, strict=True))
    if len({name for name, _ in named}) < len(named):
        raise UsageError("Two of the models are the same; name different ones.")
    if role is None and len({model.role for model in found}) > 1:
        raise UsageError(f"{names[0]!r} is a {found[0].role}, and not all others are; compare models of one role.")
    language = asked["language"] or _language(found[0])
    given = material(found[0].role, language, asked["text"], asked["speech"])
    listening = ears(asked["recognizer"], language, console) if found[0].role == "synthesizer" and how.quality else None
    with console.progress("Measuring") as reach:
        # One bar for both: speed takes its first half, quality the second.
        half = 2 if how.quality else 1
        return comparison.models(
            named,
            given,
            how,
            listening,
            lambda done, of: reach(done, half * of),
            lambda done, of: reach(of + done, half * of),
        )


def _model(name: str, role: Role | None) -> Model:
    """Return the model of a name or a folder; NAME=PATH is the built-in model NAME with the files at PATH."""
    from dataclasses import replace

    from lowvox import models
    from lowvox.commands.leaks import subject

    name, _, path = name.partition("=")
    found = models.find(role, name=name) if role else subject(name)
    if not path:
        return found
    if not Path(path).exists():
        raise NotFoundError(f"There is no file or folder {path}; check the name.")
    return replace(found, path=Path(path).resolve(), digest=path)


def _labels(names: Sequence[str], found: Sequence[Model]) -> list[str]:
    """Name models as they were asked for, by the last part of a path."""
    return [
        Path(name.partition("=")[2]).name if "=" in name else model.name
        for name, model in zip(names, found, strict=True)
    ]


def _apart(paths: Sequence[Path]) -> list[str]:
    """Name files by their names, or by their paths where names are the same."""
    names = [path.name for path in paths]
    found = names if len(set(names)) == len(names) else [str(path) for path in paths]
    if len(set(found)) < len(found):
        raise UsageError("Two of the graphs are the same; name different ones.")
    return found


def _language(model: Model) -> str:
    spoken = {code.partition("-")[0] for code in model.languages}
    return "en" if "en" in spoken or not spoken else model.languages[0]


def ears(name: str | None, language: str, console: Console) -> Model | None:
    """Return what listens to voices; None, with a note, where nothing here knows the language."""
    from lowvox import models

    if name or language.partition("-")[0] == "en":
        return models.find("recognizer", name=name or _EARS)
    try:
        return models.find("recognizer", language)
    except LowvoxError as error:
        console.note(f"Nothing here understands {language}, so sounds alone are compared. {error}")
        return None


def _write(path: Path, title: str, done: Comparison) -> None:
    from lowvox.files import replacing
    from lowvox.report.variants_page import Sound, page

    heard = list(dict.fromkeys(sentence for _, sentence, _ in done.sounds))[:_HEARD]
    sounds = [
        Sound(variant, sentence, _flac(sound.pcm, sound.rate))
        for variant, sentence, sound in done.sounds
        if sentence in heard and sound.pcm
    ]
    with replacing(path) as file:
        file.write(page(title, done.rows, done.verdicts, _facts(), sounds))


def _flac(pcm: bytes, rate: int) -> bytes:
    from lowvox.audio.encoding import encoder

    file = BytesIO()
    made = encoder(file, "flac", rate, seekable=True)
    made.add(pcm)
    made.finish()
    return file.getvalue()


def _facts() -> dict[str, str]:
    """Say what was run, on what."""
    from lowvox import __version__, extras

    words = [Path(word).name if os.sep in word else word for word in sys.argv[1:]]
    return {
        "command": " ".join(["lowvox", *words]),
        "lowvox": f"{__version__}, onnxruntime {extras.version('onnxruntime')}, Python {platform.python_version()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
    }


def _is_graph(name: str) -> bool:
    return "=" not in name and Path(name).suffix.lower() in GRAPHS
