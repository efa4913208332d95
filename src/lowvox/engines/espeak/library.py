"""The espeak library through ctypes: text to sound, and text to phonemes.

It is global to its process, not thread-safe and GPL-3.0, so only a worker loads it, and calls take turns. Needs nothing
but the standard library; knows no engine.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lowvox.engines.espeak.voices import data_folder, reinstall
from lowvox.errors import DamagedError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# From speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8, _END_PAUSE, _IPA = 1, 0x1000, 2
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3}
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_starting = threading.Lock()
# The library keeps its data's path in 160 bytes and silently takes another folder when it is longer.
_LONGEST_PATH = 140
# The library does not say what ended a clause, only how far it has read: behind the marks come quotes and brackets that
# close, spaces, and the one character that it looked ahead.
_MARKS = {mark: mark for mark in ".,;:?!"} | {"–": ";", "—": ";", "،": ",", "؛": ";", "؟": "?"}
_ENDING = re.compile(r"""(?P<marks>[.,;:?!–—،؛؟…]+)["'”’»)\]]*(\s+\S?)?$""")


class Settings(NamedTuple):
    """What the library is told before a sentence, in its own units."""

    voice: str
    rate: int
    pitch: int
    volume: int


class Clause(NamedTuple):
    """What is spoken in one go: `phonemes` in IPA, and the mark of `. , ; : ? !` that ended it, or none."""

    phonemes: str
    mark: str


def library() -> Library:
    """Return the one espeak of this process, started; DamagedError when it or its data cannot be used."""
    with _starting:
        return _library()


@cache
def _library() -> Library:
    return Library()


class Library:
    """The started library. The end of its process unloads it."""

    def __init__(self) -> None:
        import espeakng_loader

        try:
            self._c = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise DamagedError(reinstall("The espeak library cannot be loaded")) from error
        data = data_folder()
        self._turn = threading.Lock()
        self._voice = ""
        self._settings: Settings | None = None
        self._made: deque[bytes] = deque()
        self._callback = _CALLBACK(self._take)  # kept: the library holds only its address
        self._declare()
        self.rate: int = self._c.espeak_Initialize(_SYNCHRONOUS, 0, _reachable(data), _DONT_EXIT)
        if self.rate <= 0:
            raise DamagedError(reinstall(f"The espeak data in {data} is missing or damaged"))
        self._c.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, settings: Settings) -> deque[bytes]:
        """Return one sentence as PCM, in pieces as the library makes them."""
        with self._turn:
            self._choose(settings)
            data = _encoded(text)
            if self._c.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8 | _END_PAUSE, None, None) != 0:
                raise EngineError("espeak could not speak a sentence; try another voice.")
            made, self._made = self._made, deque()
            return made

    def clauses(self, text: str, voice: str) -> list[Clause]:
        """Return the phonemes of a text; words of other languages have `(xx)` around them."""
        with self._turn:
            self._take_voice(voice)
            return list(self._clauses(_encoded(text)))

    def _clauses(self, data: bytes) -> Iterator[Clause]:
        buffer = ctypes.create_string_buffer(data)
        begin, done = ctypes.addressof(buffer), 0
        at = ctypes.c_void_p(begin)
        while at.value:
            said = self._c.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _IPA)
            upto = at.value - begin if at.value else len(data)
            yield Clause((said or b"").decode(errors="ignore"), ended(data[done:upto].decode(errors="ignore")))
            done = upto

    def _choose(self, settings: Settings) -> None:
        """Tell the library the voice and its settings, unless they are what it has."""
        if settings == self._settings:
            return
        self._settings = None
        self._take_voice(settings.voice)
        for name, number in _PARAMETERS.items():
            self._c.espeak_SetParameter(number, getattr(settings, name), 0)
        self._settings = settings

    def _take_voice(self, voice: str) -> None:
        if voice == self._voice:
            return
        self._voice, self._settings = "", None
        if self._c.espeak_SetVoiceByName(voice.encode()) != 0:
            raise DamagedError(reinstall(f"espeak cannot load its voice {voice}"))
        self._voice = voice

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
        self._c.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(pointer), number, number]
        self._c.espeak_TextToPhonemes.restype = text


def ended(read: str) -> str:
    """Return the mark that ended a clause, by the text that was read for it; "" for dots and ends of lines."""
    found = _ENDING.search(read)
    return "" if found is None or found["marks"].startswith("..") else _MARKS.get(found["marks"][0], "")


def _encoded(text: str) -> bytes:
    """Return text as the library takes it: a NUL would end it for C, a lone surrogate is not UTF-8."""
    return text.replace("\0", " ").encode(errors="ignore")


def _reachable(data: Path) -> bytes:
    """Return a path to the data that is short enough for the library."""
    path = os.fsencode(data)
    if len(path) <= _LONGEST_PATH:
        return path
    os.chdir(data.parent)  # this process is espeak's own
    return os.fsencode(data.name)
