"""eSpeak NG: text to speech in more than 100 languages, through ctypes.

The library is global to its process, not thread-safe and GPL-3.0, so lowvox runs this file in a worker; it therefore
needs nothing but the standard library. It speaks what it is given in one go and leaves cutting text to others.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lowvox.engines.espeak_voices import data_folder, find, reinstall
from lowvox.errors import DamagedError, EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lowvox.types import Model, Profile

_BLOCK = 16384  # bytes: 0.37 s
# What 1.0 means to espeak, and how far it may go: beyond these the library clips or becomes unintelligible.
_RATE, _PITCH, _VOLUME = 175, 50, 100
_RANGES = {"rate": (0.5, 4.0), "pitch": (0.0, 2.0), "volume": (0.0, 2.0)}

# From speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8, _END_PAUSE = 1, 0x1000
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3}
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_starting = threading.Lock()
# The library keeps its data's path in 160 bytes and silently takes another folder when it is longer.
_LONGEST_PATH = 140


class Espeak:
    """The engine; it needs no model."""

    def load(self, model: Model, profile: Profile) -> EspeakResident:  # noqa: ARG002  # one voice, one thread
        """Start the library; DamagedError when it or its data cannot be used."""
        with _starting:
            return EspeakResident(_library())


class EspeakResident:
    """The started library. The end of its process unloads it."""

    def __init__(self, library: _Library) -> None:
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
        spoken = _Settings(find(language, voice), round(_RATE * rate), round(_PITCH * pitch), round(_VOLUME * volume))
        return EspeakStream(self._library, spoken)

    def close(self) -> None:
        """Nothing to do: the library is global, another resident may be using it."""


class EspeakStream:
    """A voice with its settings."""

    def __init__(self, library: _Library, settings: _Settings) -> None:
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


class _Settings(NamedTuple):
    """What the library is told before a sentence, in its own units."""

    voice: str
    rate: int
    pitch: int
    volume: int


class _Library:
    """The one espeak of this process; calls take turns."""

    def __init__(self) -> None:
        import espeakng_loader

        try:
            self._c = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise DamagedError(reinstall("The espeak library cannot be loaded")) from error
        data = data_folder()
        self._turn = threading.Lock()
        self._settings: _Settings | None = None
        self._made: deque[bytes] = deque()
        self._callback = _CALLBACK(self._take)  # kept: the library holds only its address
        self._declare()
        self.rate: int = self._c.espeak_Initialize(_SYNCHRONOUS, 0, _reachable(data), _DONT_EXIT)
        if self.rate <= 0:
            raise DamagedError(reinstall(f"The espeak data in {data} is missing or damaged"))
        self._c.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, settings: _Settings) -> deque[bytes]:
        """Return one sentence as PCM, in pieces as the library makes them."""
        with self._turn:
            self._choose(settings)
            # A NUL would end the text for C, a lone surrogate is not UTF-8.
            data = text.replace("\0", " ").encode(errors="ignore")
            if self._c.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8 | _END_PAUSE, None, None) != 0:
                raise EngineError("espeak could not speak a sentence; try another voice.")
            made, self._made = self._made, deque()
            return made

    def _choose(self, settings: _Settings) -> None:
        """Tell the library the voice and its settings, unless they are what it has."""
        if settings == self._settings:
            return
        self._settings = None
        if self._c.espeak_SetVoiceByName(settings.voice.encode()) != 0:
            raise DamagedError(reinstall(f"espeak cannot load its voice {settings.voice}"))
        for name, number in _PARAMETERS.items():
            self._c.espeak_SetParameter(number, getattr(settings, name), 0)
        self._settings = settings

    def _take(self, samples: int | None, count: int, events: int | None) -> int:  # noqa: ARG002  # C decides
        if samples and count > 0:
            self._made.append(ctypes.string_at(samples, 2 * count))
        return 0

    def _declare(self) -> None:
        """Give the C functions their argument types, which ctypes cannot know."""
        number, text, unsigned, pointer = ctypes.c_int, ctypes.c_char_p, ctypes.c_uint, ctypes.c_void_p
        self._c.espeak_Initialize.argtypes = [number, number, text, number]
        self._c.espeak_SetSynthCallback.argtypes = [_CALLBACK]
        self._c.espeak_SetVoiceByName.argtypes = [text]
        self._c.espeak_SetParameter.argtypes = [number, number, number]
        self._c.espeak_Synth.argtypes = [
            text, ctypes.c_size_t, unsigned, number, unsigned, unsigned, pointer, pointer,
        ]  # fmt: skip


@cache
def _library() -> _Library:
    return _Library()


def _reachable(data: Path) -> bytes:
    """Return a path to the data that is short enough for the library."""
    path = os.fsencode(data)
    if len(path) <= _LONGEST_PATH:
        return path
    os.chdir(data.parent)  # this process is espeak's own
    return os.fsencode(data.name)
