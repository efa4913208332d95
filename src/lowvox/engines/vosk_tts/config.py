"""The config.json of a vosk-tts voice: what it says of its sound, symbols and speakers.

It is not lowvox's own file: keys that are not known here are left alone. Knows no graph and no text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

BEGIN, END = "^", "$"
_STREAMS = {"multistream_v1": 1, "multistream_v2": 2, "multistream_v3": 3}
_RATES = range(4000, 192_001)  # samples a second that a sound file can have
HIGHEST = 2**31 - 1  # of any number of a symbol or a speaker
_INFERENCE = {
    "noise_level": (0.0, 10.0),
    "speech_rate": (0.01, 100.0),
    "duration_noise_level": (0.0, 10.0),
    "scale": (0.0, 100.0),
}


class Audio(msgspec.Struct, frozen=True):
    """The sound; `sample_rate` in samples a second."""

    sample_rate: int = 22050


class Inference(msgspec.Struct, frozen=True):
    """How the voice wants to be run: noise of the sound, speed, noise of the durations, loudness."""

    noise_level: float = 0.8
    speech_rate: float = 1.0
    duration_noise_level: float = 0.8
    scale: float = 1.0


class Config(msgspec.Struct, frozen=True):
    """What config.json says.

    `phoneme_id_map` gives the id of a symbol, or its ids. Without `num_speakers` it is not known how many there are.
    A `no_blank` other than 0 is a voice that wants no blanks between symbols, where it has a BERT.
    """

    phoneme_id_map: dict[str, int | list[int]]
    audio: Audio = Audio()
    inference: Inference = Inference()
    num_speakers: int | None = None
    speaker_id_map: dict[str, int] = {}
    model_type: str | None = None
    no_blank: int = 0

    @property
    def streams(self) -> int:
        """The version of its five streams, 0 for a voice of one stream."""
        return _STREAMS.get(self.model_type or "", 0)

    @property
    def ids(self) -> dict[str, tuple[int, ...]]:
        """The ids of each symbol that has any."""
        found = self.phoneme_id_map.items()
        listed = {symbol: tuple(ids) if isinstance(ids, list) else (ids,) for symbol, ids in found}
        return {symbol: ids for symbol, ids in listed.items() if ids}


def read(path: Path) -> Config:
    """Read the config of a voice; NotFoundError where there is none, DamagedError names the key that is wrong."""
    try:
        config = msgspec.json.decode(path.read_bytes(), type=Config)
    except OSError as error:
        raise NotFoundError(f"There is no {path}, which belongs to a vosk-tts voice; pull the voice again.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError(f"{path} is not the config of a vosk-tts voice ({error}); pull the voice again.") from error
    if wrong := _wrong(config):
        raise DamagedError(f"{path} cannot be right: {wrong}; copy or pull the voice again.")
    return config


def _wrong(config: Config) -> str | None:
    """Say what cannot be, None where all can."""
    ids = config.ids
    if lacking := [mark for mark in (BEGIN, END) if mark not in ids]:
        return f"its phoneme_id_map has no id for {' '.join(lacking)}"
    if not all(0 <= one <= HIGHEST for several in ids.values() for one in several):
        return "its phoneme_id_map has an id that is none"
    if config.audio.sample_rate not in _RATES:
        return f"audio.sample_rate is {config.audio.sample_rate}"
    if (config.model_type or "").startswith("multistream") and not config.streams:
        return f"model_type is {config.model_type!r}, which this version of lowvox does not know"
    return _wrong_speakers(config) or _wrong_scales(config.inference)


def _wrong_speakers(config: Config) -> str | None:
    if config.num_speakers is not None and config.num_speakers < 0:
        return f"num_speakers is {config.num_speakers}"
    most = config.num_speakers or HIGHEST
    if not all(0 <= number < most for number in config.speaker_id_map.values()):
        return f"speaker_id_map has a number that is none of its num_speakers, {config.num_speakers}"
    return None


def _wrong_scales(inference: Inference) -> str | None:
    for key, (low, high) in _INFERENCE.items():
        value = getattr(inference, key)
        if not (math.isfinite(value) and low <= value <= high):
            return f"inference.{key} is {value}"
    return None
