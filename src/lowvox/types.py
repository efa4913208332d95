"""The words of lowvox as types: what flows between audio, engines, memory and reports.

Importing this file loads neither numpy nor any engine. Sound crosses every border as PCM: 16-bit little-endian mono
bytes. It is what recognisers and espeak speak natively, it is half the size of float32, and a worker that hosts an
engine needs no numpy for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

Role = Literal["vad", "recognizer", "punctuator", "synthesizer"]
Placement = Literal["in-process", "worker"]


@dataclass(frozen=True, slots=True)
class Audio:
    """A block of sound: `pcm` is 16-bit little-endian mono at `rate` Hz."""

    pcm: bytes
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / self.rate

    @property
    def samples(self) -> NDArray[np.float32]:
        """The same sound as float32 [n] in [-1, 1)."""
        import numpy as np

        return np.frombuffer(self.pcm, "<i2").astype(np.float32) / np.float32(32768)


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word; times in seconds; `confidence` in [0, 1], None where the engine has none."""

    start: float
    end: float
    word: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of at most 15 s; times in seconds from the start of the input."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What live dictation tells: a growing `partial`, or a `final` that will not change again.

    `segment` is set on finals; `start` is where the utterance began, in seconds; `lag_s` is how far behind the
    sound the result came.
    """

    kind: Literal["partial", "final"]
    text: str
    start: float
    lag_s: float
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory of a process tree in bytes, read at one moment. The budget counts `pss`."""

    pss: int
    rss: int
    uss: int
    anonymous: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes attributed to one engine with one model, measured in a process of its own.

    `resident` is what loading takes, `stream` what each open conversation adds, `work` how far a run goes above
    both at its peak; `load_s` is the time to load and open.
    """

    resident: int
    stream: int
    work: int
    load_s: float

    def peak(self, streams: int = 1) -> int:
        """Bytes at the peak with `streams` conversations open."""
        return self.resident + streams * (self.stream + self.work)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the memory table; `peak_mb` is None where it was never measured."""

    name: str
    resident_mb: float
    peak_mb: float | None


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """What a job took, in MB of 2^20 bytes: sampled peaks of the process tree, and what each part accounts for."""

    budget_mb: float | None
    peak_pss_mb: float
    peak_rss_mb: float
    peak_uss_mb: float
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole result of one input; the field names are the keys of `lowvox transcribe --json`."""

    text: str
    language: str
    model: str
    duration_s: float
    rtf: float
    segments: tuple[Segment, ...]
    memory: MemoryReport


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be loaded: which engine runs it and where its files are.

    `path` is None where the engine's own package holds the model. `digest` changes whenever the files do.
    """

    name: str
    engine: str
    role: Role
    languages: tuple[str, ...]
    path: Path | None = None
    digest: str = ""


class Stream(Protocol):
    """The state of one conversation with a resident. Used by one thread at a time; `close` may be called twice."""

    def reset(self) -> None:
        """Forget everything heard so far (a new file, a new speaker)."""

    def close(self) -> None:
        """Give the memory back."""


class VadStream(Stream, Protocol):
    """Speech or not, block after block."""

    def probability(self, pcm: bytes) -> float:
        """Return the probability of speech in the next 512 samples (1024 bytes) at 16 kHz."""


class RecognizerStream(Stream, Protocol):
    """Speech to words, one utterance after the other, on 16 kHz mono."""

    def accept(self, pcm: bytes) -> None:
        """Take the next PCM of the utterance, any number of whole samples."""

    def partial(self) -> str:
        """Return the words so far; they may still change."""

    def discard(self) -> None:
        """Forget the utterance so far, but not the speaker."""

    def finish(self) -> tuple[Word, ...]:
        """End the utterance and return its words, times in seconds from its first sample."""


class SynthesizerStream(Stream, Protocol):
    """Text to speech, one sentence after the other."""

    @property
    def rate(self) -> int:
        """Samples a second of what `speak` gives."""

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM; closing the iterator stops the work."""


class Resident(Protocol):
    """A loaded model: weights, shared by its streams."""

    def open(self, **options: object) -> Stream:
        """Begin a conversation; the options are the engine's own (language, voice, speed)."""

    def close(self) -> None:
        """Unload; may be called twice. Streams that are still open end with it."""


class Engine(Protocol):
    """Code that runs one family of models. Never downloads, reads audio files, knows budgets or prints."""

    def load(self, model: Model, threads: int) -> Resident:
        """Load `model`; raises DamagedError or NotFoundError in one sentence."""
