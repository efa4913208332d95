"""A voice on disk or installed, in parts whose weights and sums are rounded to 8 bits, with its other files.

`shrink.voices.quantize` does the rounding, `shrink.voices.voice_gate` judges; here is where the voice comes from and
where it goes, if it is worth having.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import UsageError
from lowvox.models import install
from lowvox.models.disk import appearing, beside, writing
from lowvox.onnx import split as sidecars
from lowvox.shrink.voices import quantize as rounding
from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices import voice_blame, voice_gate
from lowvox.shrink.voices.heard import heard
from lowvox.shrink.voices.voice import Voice

if TYPE_CHECKING:
    from lowvox.shrink.rounding.recipe import Plan
    from lowvox.shrink.voices.voice_gate import Finding, Told, Words

# Of the work, what is done when the parts are rounded.
_ROUNDED = 0.3
_PARTS, _INT8 = "parts", "int8"


@dataclass(frozen=True, slots=True)
class Rounded:
    """What came of a voice: its parts in `folder`, None where the gate refused it, and their sizes in bytes by file.

    `noise` is how loud what rounding adds is beside the output of a part that runs in windows, in dB, by file; `name`
    is that of the installed voice, None for one that is not installed. `made` is what was made of each part, None for
    one that stayed as it was; `finding` is missing where a recipe made it.
    """

    name: str | None
    folder: Path | None
    whole: int
    sizes: dict[str, int]
    noise: dict[str, float]
    made: rounding.Parts
    finding: Finding | None = None


def quantize(
    voice: str | Voice,
    output: Path | None,
    name: str | None = None,
    *,
    onnx: bool = False,
    how: Plan | Path | None = None,
    force: bool = False,
    words: Words | None = None,
    told: Told = lambda _done, _of: None,
) -> Rounded:
    """Round an installed voice, or any by the path of its .onnx, into the new folder `output`, or install it as `name`.

    An installed voice stays as it is; the new one is called as it is with `-int8` behind, where no `name` is given. The
    parts are mapped files, or graphs that other tools read where `onnx` says so. What the gate refuses goes nowhere
    unless `force` says so; `words` are to judge by where they are understood. `how` is a plan, or a folder of recipes:
    what these make is not judged. `told` hears how much is done, and of how much. Raises as `voice.split`, and what
    `quantize_voice`, `requantize_voice` and `voice_gate.judged` raise.
    """
    whole = voice if isinstance(voice, Voice) else voices.found(voice)
    _check(output, name)
    called = name or f"{whole.name or whole.graph.stem}-int8"
    with beside() as folder:
        done = _made(whole, folder, how, onnx=onnx)
        told(_ROUNDED, 1)
        if not isinstance(how, Path):
            done = replace(done, finding=_judged(whole, folder, done, output.name if output else called, words, told))
        if done.finding and not done.finding.verdict.passed and not force:
            return done
        told(1, 1)
        if output is None:
            there = install.bring(folder / _INT8, called, source=str(whole.graph))
            return replace(done, name=there.name, folder=there.path)
        with appearing(output) as new:
            shutil.copytree(folder / _INT8, new, dirs_exist_ok=True)
    return replace(done, folder=output)


def _check(output: Path | None, name: str | None) -> None:
    if output is not None and name:
        raise UsageError("--name is for a voice that is installed; leave out --output, or `lowvox pull` it afterwards.")
    if output is not None:
        rounding.free(output)


def _made(whole: Voice, folder: Path, how: Plan | Path | None, *, onnx: bool) -> Rounded:
    """Write the rounded parts, their recipes, their sidecar and the voice's other files below a folder."""
    parts, made = folder / _PARTS, folder / _INT8
    with writing(folder):
        parts.mkdir()
        voices.parted(whole, parts, onnx=True)
        if isinstance(how, Path):
            done = rounding.requantize_voice(parts, made, how)
        else:
            done = rounding.quantize_voice(parts, made, whole.feeds, plan=how)
        told = _told(made, whole)
        gone = {*told.files, *(file.name for file in made.iterdir())}
        shutil.copytree(parts, made, dirs_exist_ok=True, ignore=lambda *_: gone)
        told = msgspec.structs.replace(told, packed=True)
        sidecars.write(_sidecar(made, whole), told)
        told = told if onnx else voices.mapped(made, whole.graph.stem)
    sizes = {file: (made / file).stat().st_size for file in told.files}
    return Rounded(None, None, whole.graph.stat().st_size, sizes, _noise(told, done), done)


def _noise(told: sidecars.Split, done: rounding.Parts) -> dict[str, float]:
    """Return the noise of each stage in dB, by the file that it is in now."""
    levels = [part.recipe.noise_db if part else None for part in done.values()]
    stages = {stage.file for stage in told.stages}
    found = zip(told.files, levels, strict=True)
    return {file: round(-level, 1) for file, level in found if level is not None and file in stages}


def _judged(whole: Voice, folder: Path, done: Rounded, name: str, words: Words | None, told: Told) -> Finding:
    """Judge a rounded voice, and find who is to blame where it fails."""
    nearest = -max(done.noise.values()) if done.noise else None
    rest = 1 - _ROUNDED
    finding = voice_gate.judged(
        whole, folder / _INT8, name, nearest, words, lambda at, of: told(_ROUNDED + rest * at / of, 1), folder
    )
    if finding.verdict.passed:
        return finding
    by_words = finding.rows[1].quality is not None
    blamed = voice_blame.blamed(finding.verdict, _parts(whole, folder, done), words=by_words)
    return replace(finding, verdict=blamed)


def _parts(whole: Voice, folder: Path, done: Rounded) -> list[voice_blame.Part]:
    """Return the parts that were rounded, as graphs that can be read, with what each is given for a sentence."""
    told = sidecars.read(_sidecar(folder / _PARTS, whole))
    given = heard(folder / _PARTS, told, whole.feeds, (rounding.UNSEEN,))
    found = []
    for name, part in done.made.items():
        if part is not None:
            path = folder / f"int8-{name}"
            path.write_bytes(part.data)
            (sample,) = given[name]
            first, windowed = folder / _PARTS / name, name != told.front
            found.append(voice_blame.Part(first, path, part.recipe, sample, windowed))
    return found


def _told(folder: Path, whole: Voice) -> sidecars.Split:
    return sidecars.read(_sidecar(folder, whole))


def _sidecar(folder: Path, whole: Voice) -> Path:
    return folder / f"{whole.graph.stem}{sidecars.SUFFIX}"
