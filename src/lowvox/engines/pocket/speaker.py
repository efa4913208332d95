"""Pocket TTS at work: somebody's voice and a text in, sound out frame by frame.

Each chunk of text is spoken from where the voice was heard, so that text of any length takes what one chunk does. Knows
no files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines.pocket import text as pocket_text
from lowvox.errors import DamagedError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Facts
    from lowvox.engines.pocket.parts import Memory, Parts
    from lowvox.engines.pocket.sampler import Noise
    from lowvox.engines.pocket.text import Tokenizer

# What may come to the tokens of a chunk when it is written as the model knows it: spaces, a capital, a full stop.
SPARE = 32
# As pocket-tts has it: a bound for voices that find no end, and how long an end is not believed.
_TOKENS_A_SECOND, _PADDING_S, _EARLIEST_END = 3.0, 2.0, 6
_FADE = 200  # parts of a second: what a decoder begins with is a click
_LAST = 8  # frames of the longest chunk that are spoken where only their memory is wanted
_TOGETHER = 2  # frames that are decoded together, after the first


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody speaks: `steps` of the flow, what counts as the end, and how many frames follow (None: enough)."""

    steps: int
    eos_threshold: float
    frames_after_eos: int | None


def frames_for(tokens: int, facts: Facts) -> int:
    """Return the most frames that are made of so many tokens."""
    return math.ceil((tokens / _TOKENS_A_SECOND + _PADDING_S) * facts.rate / facts.frame)


def room_for(facts: Facts) -> int:
    """Return how many positions a chunk takes behind a voice, at most."""
    most = facts.tokens_per_chunk + SPARE
    return most + frames_for(most, facts)


class Speaker:
    """Somebody who speaks: `cache` holds the voice that was heard, and has room for a chunk."""

    def __init__(
        self, graphs: Parts, tokenizer: Tokenizer, facts: Facts, cache: Memory, noise: Noise, way: Way
    ) -> None:
        self._graphs, self._tokenizer, self._facts = graphs, tokenizer, facts
        self._cache, self._noise, self._way = cache, noise, way
        self._heard = cache.position

    def speak(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Yield sound, float32 [n] in [-1, 1], a frame or few at a time; nothing for a text without letters."""
        if not any(map(str.isalnum, text)):
            return
        known = [at for at in self._tokenizer.encode(text) if at != self._tokenizer.unknown]
        if not any(map(str.isalnum, self._tokenizer.decode(known))):
            raise EngineError(
                f"This voice does not know the script of {text.strip()[:20]!r}; choose one that speaks its language."
            )
        for chunk in pocket_text.chunks(text, self._tokenizer, self._facts.text, self._facts.tokens_per_chunk):
            prepared = pocket_text.prepared(chunk, self._facts.text)
            ids = self._tokenizer.encode(prepared)[: self._facts.tokens_per_chunk + SPARE]
            if ids:
                yield from self._sounds(ids, pocket_text.fading(chunk, self._facts.text))

    def reset(self) -> None:
        """Let noise that was seeded begin anew."""
        self._noise.reset()

    def heaviest(self) -> Iterator[NDArray[np.float32]]:
        """Yield the last frames of the longest chunk that there can be."""
        longest = self._facts.tokens_per_chunk + SPARE
        self._cache.back(self._heard)
        self._graphs.read(self._cache, [0] * longest)
        self._cache.fill(self._heard + room_for(self._facts) - _LAST)
        yield from self._decoded(self._following(_LAST))

    def _sounds(self, ids: list[int], fading: int) -> Iterator[NDArray[np.float32]]:
        """Speak a chunk, until some frames behind the end."""
        self._cache.back(self._heard)
        self._graphs.read(self._cache, ids)
        after = fading if self._way.frames_after_eos is None else self._way.frames_after_eos
        yield from self._decoded(self._following(frames_for(len(ids), self._facts), after))

    def _decoded(self, latents: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Decode frames, the first alone so that it is heard soon."""
        decoder = self._graphs.decoding()
        fade = np.linspace(0, 1, self._facts.rate // _FADE, dtype=np.float32)
        held: list[NDArray[np.float32]] = []
        for latent in latents:
            held.append(latent)
            if len(fade) or len(held) == _TOGETHER:
                sound = decoder.decode(np.concatenate(held))
                sound[: len(fade)] *= fade
                fade, held = fade[:0], []
                yield sound
        if held:
            yield decoder.decode(np.concatenate(held))

    def _following(self, most: int, after: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield frames, each from the one before: `most`, or until `after` frames behind the end; None: no end."""
        latent = np.full((1, self._facts.latent), np.nan, np.float32)
        last: int | None = None
        for number in range(most):
            condition, end = self._graphs.step(self._cache, latent)
            if math.isnan(end):
                raise DamagedError("The voice gives no sound (its frames are no numbers); export or copy it again.")
            if after is not None and last is None and number >= _EARLIEST_END and end > self._way.eos_threshold:
                last = number + after
            if last is not None and number >= last:
                return
            latent = self._graphs.latent(condition, self._noise.next(), self._way.steps)
            yield latent
