"""eSpeak NG: text to speech in more than 100 languages.

The library is global to its process, not thread-safe and GPL-3.0, so lowvox runs this file in a worker; it therefore
needs nothing but the standard library. It speaks what it is given in one go and leaves cutting text to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.engines.espeak.library import Settings, library
from lowvox.engines.espeak.voices import find
from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.engines.espeak.library import Library
    from lowvox.types import Model, Profile

_BLOCK = 16384  # bytes: 0.37 s
# What 1.0 means to espeak, and how far it may go: beyond these the library clips or becomes unintelligible.
_RATE, _PITCH, _VOLUME = 175, 50, 100
_RANGES = {"rate": (0.5, 4.0), "pitch": (0.0, 2.0), "volume": (0.0, 2.0)}


class Espeak:
    """The engine; it needs no model."""

    def load(self, model: Model, profile: Profile) -> EspeakResident:  # noqa: ARG002  # one voice, one thread
        """Start the library; DamagedError when it or its data cannot be used."""
        return EspeakResident(library())


class EspeakResident:
    """The started library. The end of its process unloads it."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def open(
        self,
        language: str = "en",
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
    ) -> EspeakStream:
        """Choose a voice; `rate` 1.0 is 175 words a minute.

        `voice` is a code of `espeak_voices.languages()` and goes before `language`; `+f3` behind it, or alone, varies
        it. Raises UsageError for a number out of range and NotFoundError for an unknown voice.
        """
        for name, value in (("rate", rate), ("pitch", pitch), ("volume", volume)):
            low, high = _RANGES[name]
            if not low <= value <= high:
                raise UsageError(f"The {name} must be from {low:g} to {high:g} (1 is normal), not {value:g}.")
        spoken = Settings(find(language, voice), round(_RATE * rate), round(_PITCH * pitch), round(_VOLUME * volume))
        return EspeakStream(self._library, spoken)

    def close(self) -> None:
        """Nothing to do: the library is global, another resident may be using it."""


class EspeakStream:
    """A voice with its settings."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library = library
        self._settings = settings

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._library.rate

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM of at most 0.4 s; markup is read out as text."""
        # Sentences are bounded and espeak is 1000 times faster than speech: making one whole costs 5-50 ms and at most
        # a few MB, and leaves no callback waiting inside the library while the listener thinks.
        pieces, block = self._library.speak(text, self._settings), b""
        while pieces:
            block += pieces.popleft()  # one after the other goes: the sound is never held twice
            while len(block) >= _BLOCK:
                yield block[:_BLOCK]
                block = block[_BLOCK:]
        if block:
            yield block

    def reset(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to give back."""
