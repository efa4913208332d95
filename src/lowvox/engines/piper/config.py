"""The json beside a Piper voice: what it says of its sound, phonemes and speakers.

It is not lowvox's own file: keys that are not known here are left alone. Knows no graph and no phonemizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".onnx.json"
PAD, BEGIN, END = "_", "^", "$"
_RATES = range(4000, 192_001)  # samples a second that a sound file can have
_SCALES = {"noise_scale": (0.0, 10.0), "length_scale": (0.01, 100.0), "noise_w": (0.0, 10.0)}


class Audio(msgspec.Struct, frozen=True):
    """The sound; `sample_rate` in samples a second."""

    sample_rate: int


class Espeak(msgspec.Struct, frozen=True):
    """What turns text into phonemes: a voice by espeak's name."""

    voice: str = ""


class Inference(msgspec.Struct, frozen=True):
    """How the voice wants to be run: noise of the sound, length of all phonemes, noise of their lengths."""

    noise_scale: float = 0.667
    length_scale: float = 1.0
    noise_w: float = 0.8


class Language(msgspec.Struct, frozen=True):
    """What it speaks, such as `en_US`."""

    code: str = ""


class Config(msgspec.Struct, frozen=True):
    """What NAME.onnx.json says.

    `phoneme_id_map` gives the ids of a phoneme, `phoneme_map` what it is replaced by before. `vowel_clusters` are
    phonemes that count as one when they follow each other.
    """

    audio: Audio
    phoneme_id_map: dict[str, list[int]]
    num_symbols: int
    num_speakers: int = 1
    speaker_id_map: dict[str, int] = {}
    phoneme_type: str = "espeak"
    phoneme_map: dict[str, str | list[str]] = {}
    vowel_clusters: list[list[str]] | None = None
    espeak: Espeak = Espeak()
    inference: Inference = Inference()
    language: Language = Language()
    default_speaker_id: int = 0
    piper_version: str | None = None

    @property
    def highest(self) -> int:
        """The largest id of a phoneme."""
        return max(one for ids in self.phoneme_id_map.values() for one in ids)

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks, as lowvox writes it: `en-us`, then `en`; by espeak's voice where the json tells no code."""
        code = (self.language.code or self.espeak.voice).replace("_", "-").lower()
        return tuple(dict.fromkeys((code, code.partition("-")[0]))) if code else ()


def read(path: Path) -> Config:
    """Read the json of a voice; NotFoundError where there is none, DamagedError names the key that is wrong."""
    try:
        config = msgspec.json.decode(path.read_bytes(), type=Config)
    except OSError as error:
        raise NotFoundError(f"There is no {path}, which belongs to a Piper voice; copy it beside the .onnx.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError(f"{path} is not the json of a Piper voice ({error}); copy or pull it again.") from error
    if wrong := _wrong(config):
        raise DamagedError(f"{path} cannot be right: {wrong}; copy or pull the voice again.")
    return config


def _wrong(config: Config) -> str | None:
    """Say what cannot be, None where all can."""
    ids = [one for several in config.phoneme_id_map.values() for one in several]
    if lacking := [mark for mark in (PAD, BEGIN, END) if not config.phoneme_id_map.get(mark)]:
        return f"its phoneme_id_map has no ids for {' '.join(lacking)}"
    if min(ids) < 0 or max(ids) >= config.num_symbols:
        return f"its phoneme_id_map has ids up to {max(ids)}, and num_symbols is {config.num_symbols}"
    if config.audio.sample_rate not in _RATES:
        return f"audio.sample_rate is {config.audio.sample_rate}"
    if config.phoneme_type == "espeak" and not config.espeak.voice:
        return "espeak.voice is missing"
    return _wrong_speakers(config) or _wrong_scales(config.inference)


def _wrong_speakers(config: Config) -> str | None:
    if config.num_speakers < 1:
        return f"num_speakers is {config.num_speakers}"
    for key, numbers in (
        ("speaker_id_map", [*config.speaker_id_map.values()]),
        ("default_speaker_id", [config.default_speaker_id]),
    ):
        if beyond := [number for number in numbers if not 0 <= number < config.num_speakers]:
            return f"{key} names speaker {beyond[0]}, and num_speakers is {config.num_speakers}"
    return None


def _wrong_scales(inference: Inference) -> str | None:
    for key, (low, high) in _SCALES.items():
        if not low <= getattr(inference, key) <= high:
            return f"inference.{key} is {getattr(inference, key)}"
    return None
