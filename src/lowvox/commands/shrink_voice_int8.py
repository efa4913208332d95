"""The voices of `lowvox shrink quantize`: in parts, these in 8 bits, and whether that is worth having."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox.commands.comparing import ears
from lowvox.commands.shrink_voice import written
from lowvox.errors import EngineError, UsageError
from lowvox.memory.meter import MB
from lowvox.shrink.rounding import RECIPE

if TYPE_CHECKING:
    from lowvox.commands.common import Console
    from lowvox.shrink.rounding.graph_int8 import Made
    from lowvox.shrink.trials.variant import Verdict
    from lowvox.shrink.voices.voice_gate import Finding, Words
    from lowvox.shrink.voices.voice_int8 import Rounded


def quantize_voice(
    console: Console, voice: str, output: Path | None, name: str | None, how: Any, asked: dict[str, Any]
) -> None:
    """Cut a voice in parts, round these to 8 bits by a plan or a folder of recipes, judge it and say what came of it.

    `asked` has `onnx`, `force`, `no_words` and `text`. EngineError where the gate refuses it.
    """
    from lowvox.shrink.voices import voice as voices
    from lowvox.shrink.voices import voice_int8

    whole = voices.found(voice)
    words = None if asked["no_words"] or isinstance(how, Path) else _words(whole.language, asked["text"], console)
    with console.progress("Rounding and measuring") as reach:
        done = voice_int8.quantize(
            whole, output, name, onnx=asked["onnx"], how=how, force=asked["force"], words=words, told=reach
        )
    if console.json:
        console.emit(_rounded_told(done))
    else:
        for line in _rounded_in_words(done):
            console.note(line)
    if done.folder is None and done.finding:
        raise refused(done.finding.verdict)


def refused(verdict: Verdict) -> EngineError:
    """Return the error of what the gate refused."""
    failed = " ".join(check.sentence for check in verdict.checks if check.passed is False)
    return EngineError(f"It is not worth having, and was not kept (--force keeps it): {failed}")


def _words(language: str, text: Path | None, console: Console) -> Words | None:
    """Return what a voice is judged by where it is understood: these sentences, or lowvox's own, which are English."""
    from lowvox.shrink.trials import gate, material
    from lowvox.shrink.voices.voice_gate import Words

    if text is None and language.partition("-")[0] != "en":
        return None
    texts = material.texts(text) if text else material.material("synthesizer", language).texts[: gate.LEAST]
    if len(texts) < gate.LEAST:
        raise UsageError(f"{text} has {len(texts)} sentences; {gate.LEAST} or more tell something, or say --no-words.")
    listening = ears(None, language, console)
    return Words(texts, language, listening) if listening else None


def _rounded_told(done: Rounded) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    from dataclasses import asdict

    verdict = done.finding.verdict if done.finding else None
    return {
        "name": done.name,
        "path": str(done.folder) if done.folder else None,
        "whole_mb": round(done.whole / MB, 2),
        "parts": [
            {"file": file, "size_mb": round(size / MB, 2), "noise_db": done.noise.get(file), **_made_told(part)}
            for (file, size), part in zip(done.sizes.items(), done.made.items(), strict=True)
        ],
        "rows": [asdict(row) for row in done.finding.rows] if done.finding else [],
        "verdict": asdict(verdict) | {"passed": verdict.passed} if verdict else None,
    }


def _made_told(part: tuple[str, Made | None]) -> dict[str, Any]:
    name, made = part
    return {
        "recipe": Path(name).with_suffix(RECIPE).name if made else None,
        "nodes": made.nodes if made else 0,
        "left": list(made.recipe.left) if made else [],
    }


def _rounded_in_words(done: Rounded) -> list[str]:
    size = sum(done.sizes.values())
    left = [node for made in done.made.values() if made and made.ranking for node in made.recipe.left]
    lines = [
        f"{size / MB:.1f} MB instead of {done.whole / MB:.1f} ({size / done.whole:.2f} x).",
        *(f"{file}: rounding adds noise {-noise:.0f} dB below its output." for file, noise in done.noise.items()),
        *([f"Left alone: {', '.join(left)}."] if left else []),
        *_judged_in_words(done.finding),
    ]
    if done.folder is None:
        return lines
    beside = "its recipes beside it" if done.finding else "made by its recipes"
    if done.name:
        return [*lines, f"Installed {done.name} in {done.folder}, {beside}; hear it: lowvox say -v {done.name} TEXT"]
    return [*lines, written(done.folder)]


def _judged_in_words(finding: Finding | None) -> list[str]:
    if finding is None:
        return ["Not judged, since it was made by recipes; `lowvox shrink compare` does."]
    verdict = finding.verdict
    told = [check.sentence for check in verdict.checks]
    return [*([finding.note] if finding.note else []), *told, *verdict.blame]
