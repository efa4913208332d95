"""`lowvox shrink split`: a voice in parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.shrink.voices.voice import Done


@click.command(
    "split",
    epilog="\b\nExamples:\n"
    "  lowvox shrink split en_US-amy-medium\n"
    "  lowvox shrink split ./en_US-amy-medium.onnx -o ./amy\n",
)
@click.argument("voice", metavar="VOICE")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the parts here.")
@click.option("--onnx", is_flag=True, help="Keep the parts as .onnx, for other tools; they take more memory.")
@common
def split(console: Console, voice: str, output: Path | None, onnx: bool) -> None:
    """Cut a voice of Piper's or vosk-tts's in parts, so that it speaks in windows.

    Its memory then is flat, and the first sound comes with the first window.

    VOICE is an installed voice, which is split in its place and needs no more disk then, or the .onnx file of one. The
    parts are kept only when they sound as the whole does, to 1e-5.
    """
    from lowvox.shrink.voices import voice as voices

    done = voices.split(voice, output, onnx=onnx)
    if console.json:
        console.emit(_parts_told(done))
        return
    for line in _parts_in_words(done):
        console.note(line)


def _parts_told(done: Done) -> dict[str, Any]:
    """Return the result as an object; the keys stay."""
    looks = {stage.file: stage for stage in done.split.stages}
    parts = []
    for file, size in done.sizes.items():
        stage = looks.get(file)
        parts.append(
            {
                "file": file,
                "size_mb": round(size / MB, 2),
                "left": stage.left if stage else None,
                "right": stage.right if stage else None,
                "hop": stage.hop if stage else None,
            }
        )
    return {
        "name": done.name,
        "path": str(done.folder),
        "whole_mb": round(done.whole / MB, 2),
        "parts": parts,
        "difference": done.difference,
    }


def _parts_in_words(done: Done) -> list[str]:
    front, *_ = done.split.files
    return [
        f"{front} ({done.sizes[front] / MB:.1f} MB) sees a whole sentence.",
        *(
            f"{stage.file} ({done.sizes[stage.file] / MB:.1f} MB) looks {stage.left} frames back and {stage.right} "
            f"ahead; a frame becomes {stage.hop} of what it gives."
            for stage in done.split.stages
        ),
        f"Together they differ from the whole by {done.difference:.1g} at most.",
        f"{done.name} in {done.folder} is split now." if done.name else written(done.folder),
    ]


def written(folder: Path) -> str:
    """Say where the parts are."""
    return f"Written to {folder}; `lowvox pull {folder}` installs it."
