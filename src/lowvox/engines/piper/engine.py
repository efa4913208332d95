"""The `piper` engine: every Piper voice, whole, or split by `lowvox shrink split` so that memory stays flat.

Runs in a worker, since most voices need the espeak library for their phonemes. It speaks one sentence at a time and
leaves cutting text to others.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox import extras
from lowvox.engines import breath, ranges
from lowvox.engines.piper import phonemes as piper_phonemes
from lowvox.engines.piper.config import BEGIN, END, PAD
from lowvox.engines.piper.layout import layout
from lowvox.engines.vits import LONGEST, Vits, pcm
from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.text.aloud import spoken_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.espeak.library import Clause
    from lowvox.engines.piper.config import Config
    from lowvox.onnx.session import Session
    from lowvox.types import Model, Profile

PERMITS = 2
_NAMED = 5  # speakers of a voice that an error lists
_SHORTEST = 1e-4  # a length of phonemes at which each is one frame


class Piper:
    """Text to speech with a voice of Piper's."""

    def load(self, model: Model, profile: Profile) -> PiperResident:
        """Load a voice; DamagedError where its graph and its json do not belong together."""
        if model.path is None:
            raise NotFoundError(f"The voice {model.name!r} has no folder; run `lowvox pull` with its .onnx file.")
        found = layout(model.path)
        piper_phonemes.check(found.config)
        if found.config.phoneme_type == "espeak":
            _need_espeak(model.name)
        voice = Vits(found.graph, profile, PERMITS, _trial(found.config))
        _check_speakers(voice, found.config, found.graph.name)
        return PiperResident(voice, found.config, model.name)


class PiperResident:
    """A loaded voice, shared by its streams."""

    def __init__(self, voice: Vits, config: Config, name: str) -> None:
        self._voice, self._config, self._name = voice, config, name

    def open(
        self,
        language: str = "",  # noqa: ARG002  # a voice has one
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
        speaker: str | int | None = None,
        noise: float | None = None,
        noise_w: float | None = None,
        seed: int | None = None,
        *,
        padded: bool = True,
    ) -> PiperStream:
        """Choose a speaker and how it speaks; what is left out is the voice's own.

        The speaker is a name or number of the voice's, also as `voice` behind a `+`. `noise` and `noise_w` are the
        liveliness of the sound and of the lengths of phonemes; with 0 for both the same text always sounds the same.
        With a `seed` the same sentences in the same order do, for as long as ONNX Runtime and the machine are the same;
        the stream then has what draws the noise for itself, which takes as much memory as the whole voice, or as the
        front of a split one. `padded` is for voices that want Piper's first padding (see `piper_phonemes.ids`).
        UsageError for what the voice does not have.
        """
        usual = self._config.inference
        ranges.check(ranges.VITS, rate=rate, volume=volume, noise=noise, noise_w=noise_w)
        if pitch != 1:
            raise UsageError(
                f"The voice {self._name!r} has no pitch to choose: leave it at 1, or take an espeak voice."
            )
        told = speaker if speaker is not None else ((voice or "").partition("+")[2] or None)
        lively = usual.noise_scale if noise is None else noise
        uneven = usual.noise_w if noise_w is None else noise_w
        scales = np.array([lively, usual.length_scale / rate, uneven], np.float32)
        return PiperStream(self._voice, self._config, scales, self._speaker(told), volume, seed, padded)

    def close(self) -> None:
        """Unload it; may be called twice."""
        self._voice.close()

    def _speaker(self, told: str | int | None) -> int:
        """Return the number of a speaker."""
        known = self._config.speaker_id_map
        if told is None:
            return self._config.default_speaker_id
        if told in known:
            return known[str(told)]
        number = int(told) if str(told).isdecimal() else -1
        if 0 <= number < self._config.num_speakers:
            return number
        raise UsageError(f"The voice {self._name!r} has no speaker {told!r}; {_speakers(self._config)}.")


class PiperStream:
    """A speaker and its settings."""

    def __init__(
        self,
        voice: Vits,
        config: Config,
        scales: NDArray[np.float32],
        speaker: int,
        volume: float,
        seed: int | None,
        padded: bool,
    ) -> None:
        self._voice, self._config, self._scales = voice, config, scales
        self._speaker, self._volume, self._padded = speaker, volume, padded
        self._seed = seed if scales[0] or scales[2] else None
        self._front: Session | None = None

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._config.audio.sample_rate

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM, one for each window, or for all of it where the voice is not split.

        Nothing comes of text without letters and numbers; EngineError where the voice knows none of those.
        """
        if self._config.phoneme_type == "text":  # espeak reads numbers by itself
            text = spoken_form(text, self._config.languages[0])
        sentences = [
            self._ids(part)
            for sounds in piper_phonemes.phonemes(text, self._config, _clauses)
            for part in breath.parts(sounds, lambda some: len(self._ids(some)), LONGEST)
        ]
        if not any(sentences) and any(map(str.isalnum, text)):
            raise EngineError(
                f"This voice does not know the script of {text.strip()[:20]!r}; choose one that speaks its language."
            )
        for ids in filter(None, sentences):
            for sound in self._voice.run(feeds(ids, self._scales, self._speaker), self._own_front()):
                yield pcm(sound, self._volume)

    def heaviest(self) -> Iterator[bytes]:
        """Speak as many phonemes as are ever spoken in one go."""
        known = sorted(one for several in self._config.phoneme_id_map.values() for one in several)
        given = feeds([known[at % len(known)] for at in range(LONGEST)], self._scales, self._speaker)
        for sound in self._voice.heaviest(given, self.rate, self._own_front()):
            yield pcm(sound, self._volume)

    def reset(self) -> None:
        """Let noise that was seeded begin anew."""
        if self._front:
            self._front.close()
        self._front = None

    def close(self) -> None:
        """Give back what is the stream's own."""
        self.reset()

    def _ids(self, sounds: Sequence[str]) -> list[int]:
        return piper_phonemes.ids(sounds, self._config, padded=self._padded)

    def _own_front(self) -> Session | None:
        if self._seed is not None and self._front is None:
            self._front = self._voice.seeded(self._seed)
        return self._front


def feeds(ids: Sequence[int], scales: NDArray[np.float32], speaker: int) -> dict[str, NDArray[Any]]:
    """Return what the graph of a voice takes; one with a single speaker takes no `sid`."""
    return {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": scales,
        "sid": np.array([speaker], np.int64),
    }


def _trial(config: Config) -> dict[str, NDArray[Any]]:
    """Return feeds that only a graph takes that knows the last phoneme and the last speaker."""
    known = config.phoneme_id_map
    ids = [*known[BEGIN], *known[PAD], config.highest, *known[PAD], *known[END]]
    return feeds(ids, np.array([0, _SHORTEST, 0], np.float32), config.num_speakers - 1)


def _check_speakers(voice: Vits, config: Config, name: str) -> None:
    """Raise DamagedError where graph and json do not agree on whether there are several speakers."""
    if ("sid" in voice.inputs) != (config.num_speakers > 1):
        has = "several speakers" if "sid" in voice.inputs else "one speaker"
        voice.close()
        raise DamagedError(
            f"{name} has {has}, and its json says {config.num_speakers}: it is that of another voice; copy its own."
        )


def _speakers(config: Config) -> str:
    """Say which speakers there are, the first few by name."""
    if config.num_speakers == 1:
        return "it has one alone"
    names = sorted(config.speaker_id_map, key=lambda name: config.speaker_id_map[name])
    if not names:
        return f"it has 0 to {config.num_speakers - 1}"
    return f"it has {', '.join(names[:_NAMED])}" + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _need_espeak(name: str) -> None:
    if find_spec("espeakng_loader") is None:
        raise NotFoundError(
            f"The voice {name!r} takes its phonemes from espeak, which is not installed: "
            f"run `{extras.command('espeak')}`."
        )


def _clauses(text: str, voice: str) -> list[Clause]:
    """Have espeak say what it would speak."""
    from lowvox.engines.espeak.library import library

    return library().clauses(text, voice)
