"""The `lowvox-voice` engine: our own English voice, shipped, on ONNX Runtime and numpy.

How it was made is in `training/voice`. Words become phones, one network gives their lengths and what a second one needs
to make frames of them, in windows, and a source and its filters make sound of the frames. What a sentence takes does
not follow its length, and the same sentence always sounds the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines import breath, ranges
from lowvox.engines.lowvox_voice.g2p import Speller
from lowvox.engines.lowvox_voice.head import PITCH, RATE, WIDTH, Head
from lowvox.engines.lowvox_voice.lexicon import lexicon
from lowvox.engines.lowvox_voice.reading import Reader
from lowvox.engines.lowvox_voice.steps import Steps
from lowvox.engines.lowvox_voice.tokens import PHONES, spots, tokens
from lowvox.engines.vits import pcm
from lowvox.errors import EngineError, UsageError
from lowvox.onnx import windows
from lowvox.onnx.session import Session
from lowvox.text.aloud import spoken_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.sorted_words import SortedWords
    from lowvox.types import Model, Profile

SHIPPED = Path(__file__).with_name("weights")
WINDOW = 32  # steps of 10 ms
# Tokens of one run, some 12 s of speech: longer sentences were not learnt from.
LONGEST = 150
_REACH = windows.Reach(14, 14)
_RANGES = {**ranges.SPOKEN, "pitch": (0.5, 2.0)}
_PERMITS = 2
# What every rule for numbers is read for, and words that are in no lexicon.
_HARDEST = "On 03/04/2021 at 9:45, Qwyrzle paid $1,234.56 for 3½ kg, i.e. 20 % of XIV (see www.vrndk.com)."


class LowvoxVoice:
    """Text to speech in English."""

    def load(self, model: Model, profile: Profile) -> LowvoxVoiceResident:
        """Load the voice that comes with lowvox; the first time its lexicon is sorted, which takes a second or two."""
        folder = model.path or SHIPPED
        words = lexicon()
        encoder, decoder = (Session(folder / f"{name}.onnx", profile, _PERMITS) for name in ("encoder", "decoder"))
        speller = Speller(folder / "g2p.onnx", profile, _PERMITS)
        return LowvoxVoiceResident(_Voice(encoder, decoder, speller, words, profile.window or WINDOW))


class LowvoxVoiceResident:
    """The loaded voice, shared by its streams."""

    def __init__(self, voice: _Voice) -> None:
        self._voice = voice

    def open(
        self,
        language: str = "",  # noqa: ARG002  # it speaks one
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
    ) -> LowvoxVoiceStream:
        """Say how it speaks, in factors of what is usual; UsageError for a number out of range, or another speaker."""
        ranges.check(_RANGES, rate=rate, pitch=pitch, volume=volume)
        if speaker := (voice or "").partition("+")[2]:
            raise UsageError(f"lowvox-voice has one speaker, and no {speaker!r}; leave out the + and what follows.")
        return LowvoxVoiceStream(self._voice, rate, pitch, volume)

    def close(self) -> None:
        """Unload it; may be called twice."""
        self._voice.close()


class LowvoxVoiceStream:
    """A way of speaking; it remembers nothing from one sentence to the next."""

    def __init__(self, voice: _Voice, rate: float, pitch: float, volume: float) -> None:
        self._voice: _Voice | None = voice
        self._rate, self._pitch, self._volume = rate, pitch, volume

    @property
    def rate(self) -> int:
        """Samples a second."""
        return RATE

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM, one for each window.

        Nothing comes of text without letters and numbers; EngineError where none of them are Latin.
        """
        voice = self._open()
        sounds = voice.reader.sounds(spoken_form(text, "en"))
        if not sounds and any(map(str.isalnum, text)):
            raise EngineError(
                f"This voice does not know the script of {text.strip()[:20]!r}; choose one that speaks its language."
            )
        for part in breath.parts(sounds, lambda some: len(tokens(some)[0]), LONGEST):
            yield from self._spoken(voice, *tokens(part))

    def heaviest(self) -> Iterator[bytes]:
        """Read what takes the most to read, and speak as many tokens as are ever spoken in one go."""
        voice = self._open()
        voice.reader.sounds(spoken_form(_HARDEST, "en"))
        yield from self._spoken(voice, *tokens([PHONES[at % len(PHONES)] for at in range(LONGEST - 2)]))

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let go of the voice."""
        self._voice = None

    def _spoken(self, voice: _Voice, ids: Sequence[int], places: Sequence[int]) -> Iterator[bytes]:
        """Speak tokens; nothing comes of none."""
        if not ids:
            return
        head = Head()
        for frames in voice.frames(ids, places, self._rate):
            frames[:, PITCH] += math.log(self._pitch)
            if made := pcm(head.feed(frames), self._volume):
                yield made
        yield pcm(head.flush(), self._volume)

    def _open(self) -> _Voice:
        if self._voice is None:
            raise EngineError("This stream of lowvox-voice is closed; open another.")
        return self._voice


class _Voice:
    """What is loaded."""

    def __init__(
        self, encoder: Session, decoder: Session, speller: Speller, words: SortedWords | None, window: int
    ) -> None:
        self._encoder, self._decoder, self._speller, self._words = encoder, decoder, speller, words
        self._window = window
        self.reader = Reader(words, speller)

    def frames(self, ids: Sequence[int], places: Sequence[int], rate: float) -> Iterator[NDArray[np.float32]]:
        """Yield the frames of a sentence, [n, 32] of 5 ms each, window by window."""
        feeds: dict[str, NDArray[Any]] = {
            "ids": np.array([ids], np.int64),
            "places": np.array([places], np.int64),
            "spots": spots(ids)[None],
        }
        context, durations = self._encoder.run(feeds, ["context", "durations"])
        steps = Steps(durations[0].T / rate)
        along: dict[str, windows.Frames] = {"context": _Context(context, steps), "where": _Where(steps)}
        for made in windows.run(self._decoded, along, {}, steps.count, self._window, _REACH):
            yield made[0].reshape(2, WIDTH, -1).transpose(2, 0, 1).reshape(-1, WIDTH)

    def close(self) -> None:
        """Let go of it all."""
        for part in (self._encoder, self._decoder, self._speller, self._words):
            if part:
                part.close()

    def _decoded(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return self._decoder.run(feeds, ["frames"])[0]


@dataclass(frozen=True, slots=True)
class _Context:
    """What the encoder says of each step's token: made for the steps that are asked for."""

    context: NDArray[np.float32]
    steps: Steps

    def between(self, begin: int, end: int) -> NDArray[np.float32]:
        """Return [1, 192, t]."""
        return self.context[:, :, self.steps.tokens(begin, end)]


@dataclass(frozen=True, slots=True)
class _Where:
    """Where in its token each step lies."""

    steps: Steps

    def between(self, begin: int, end: int) -> NDArray[np.float32]:
        """Return [1, 8, t]."""
        return self.steps.where(begin, end)[None]
