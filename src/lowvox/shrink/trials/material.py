"""What models are tried on: texts one to a line, and a folder of speech with what is said in it.

What comes with lowvox is fifty sentences written for it, and its clip. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import DamagedError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Role

_SENTENCES = Path(__file__).with_name("sentences.txt")
_LIST = "manifest.jsonl"
_SOUNDS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".opus"})
# An utterance is no chapter: recognisers are given it in one piece.
LONGEST_S = 30.0
_LOUDEST, _SEED = 4, 7
_RATE = 16000


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording and what is said in it, None where nobody wrote it down.

    `noise` is how much white noise is added, as a share of full scale.
    """

    path: Path
    text: str | None = None
    noise: float = 0.0

    def pcm(self) -> bytes:
        """Read it as PCM at 16 kHz; NotFoundError or DamagedError where that cannot be."""
        from lowvox.audio.reading import opened

        with opened(self.path) as recording:
            sound = b"".join(recording.blocks())
        return _noisy(sound, self.noise) if self.noise else sound

    def seconds(self) -> float:
        """Return its length by its header."""
        from lowvox.audio.reading import opened

        with opened(self.path) as recording:
            return recording.seconds


@dataclass(frozen=True, slots=True)
class Material:
    """Texts and recordings in one language."""

    language: str
    texts: tuple[str, ...] = ()
    clips: tuple[Clip, ...] = ()


class _Told(msgspec.Struct, frozen=True):
    """A line of a manifest; others are left alone."""

    path: str
    text: str | None = None
    lang: str = ""


def material(role: Role, language: str, text: Path | None = None, speech: Path | None = None) -> Material:
    """Return what a role is tried on: from these files, else what comes with lowvox, which is English.

    Raises what `texts` and `clips` raise, and UsageError for another language without files.
    """
    if role in ("synthesizer", "punctuator"):
        if text is None and language.partition("-")[0] != "en":
            raise UsageError(f"lowvox's own sentences are English; name a file of {language!r} with --text.")
        return Material(language, texts(text or _SENTENCES))
    if speech is not None:
        return Material(language, clips=clips(speech, language, told=role == "recognizer"))
    return Material(language, clips=tuple(_own(role)))


def texts(path: Path) -> tuple[str, ...]:
    """Read a file of texts, one to a line; empty lines are left out. NotFoundError, DamagedError, UsageError."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise NotFoundError(f"There is no text file {path}; name one with a sentence on each line.") from error
    except UnicodeDecodeError as error:
        raise DamagedError(f"{path} is not UTF-8 text; convert it, or name another file.") from error
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise UsageError(f"{path} holds no text; put a sentence on each line.")
    return found


def clips(folder: Path, language: str = "", *, told: bool = True) -> tuple[Clip, ...]:
    """Return the recordings of a folder of at most 30 s; with `told` those with a transcript, in this language.

    A `manifest.jsonl` names the latter (`path`, `text`, `lang`); without one the transcript of `a.flac` is in `a.txt`.
    NotFoundError where there is no such folder, UsageError where there is nothing in it.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}; name one with recordings and {_LIST}, or a .txt for each.")
    listed = _listed(folder, language) if told and (folder / _LIST).is_file() else _lying(folder)
    found = tuple(clip for clip in listed if (clip.text or not told) and clip.seconds() <= LONGEST_S)
    if not found:
        what = f"recordings of at most {LONGEST_S:g} s{' with what is said in them' if told else ''}"
        raise UsageError(
            f"{folder} holds no {what}{f' in {language!r}' if told and language else ''}; name another folder."
        )
    return found


def _listed(folder: Path, language: str) -> Iterator[Clip]:
    code = language.partition("-")[0]
    for number, line in enumerate((folder / _LIST).read_bytes().splitlines(), 1):
        try:
            told = msgspec.json.decode(line, type=_Told)
        except msgspec.DecodeError as error:
            raise DamagedError(f"{folder / _LIST} is damaged in line {number} ({error}); mend or remove it.") from error
        if not code or not told.lang or told.lang.partition("-")[0] == code:
            yield Clip(folder / told.path, told.text)


def _lying(folder: Path) -> Iterator[Clip]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SOUNDS:
            beside = path.with_suffix(".txt")
            yield Clip(path, " ".join(texts(beside)) if beside.is_file() else None)


def _own(role: Role) -> Iterator[Clip]:
    """Yield the clip that comes with lowvox; for a VAD in growing noise as well, where it is hard put to decide."""
    from lowvox.audio.clip import PATH, TEXT

    yield Clip(PATH, TEXT)
    if role == "vad":
        for step in range(1, _LOUDEST + 1):
            yield Clip(PATH, TEXT, 0.02 * step)


def _noisy(sound: bytes, noise: float) -> bytes:
    import numpy as np

    clean = np.frombuffer(sound, "<i2")
    samples = clean + 32767 * noise * np.random.default_rng(_SEED).standard_normal(len(clean))
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()
