"""The words of lowvox as types: what flows between audio, engines, memory and reports.

Importing this file loads neither numpy nor any engine. Sound crosses every border as PCM: 16-bit little-endian mono
bytes. It is what recognisers and espeak speak natively, it is half the size of float32, and a worker that hosts an
engine needs no numpy for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

Role = Literal["vad", "recognizer", "punctuator", "synthesizer"]
Placement = Literal["in-process", "worker"]
# How a word is written: small, its first letter large, all letters large, the first of each of its parts large.
Case = Literal["lower", "capital", "upper", "parts"]


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
class Label:
    """What a punctuator adds to one word: the mark behind it, its case, and "¿" or "¡" before it.

    `sure` is the probability of the mark in [0, 1].
    """

    mark: str = ""
    case: Case = "lower"
    opens: str = ""
    sure: float = 1.0


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
    """Bytes that one model takes as it is run (a `Choice`), measured in a process of its own.

    `resident` is what loading takes (in a worker with the process itself), `stream` what each open conversation adds,
    `work` how far a run over an input of the length `longest` (seconds of sound, characters of text) goes above both;
    each unit of input less takes `slope` bytes less. `shared` bytes of `resident` are file pages that a second process
    with the same model does not add. `data` is what a resource limit counts at the peak. `returned` bytes came back
    when it was unloaded. `load_s` is the time to load and open, `rtf` the time of a run over that of its sound.
    """

    resident: int
    stream: int
    work: int
    load_s: float
    slope: float = 0.0
    longest: float = 0.0
    rtf: float = 0.0
    shared: int = 0
    data: int = 0
    returned: int = 0

    def work_for(self, length: float | None = None) -> int:
        """Bytes that a run over an input of this length takes; without a length, the longest."""
        if length is None or length >= self.longest:
            return self.work
        return max(0, round(self.work - self.slope * (self.longest - length)))

    def peak(self, streams: int = 1, runs: int | None = None, length: float | None = None) -> int:
        """Bytes at the peak of one process with `streams` conversations open, of which `runs` work at once."""
        return self.resident + streams * self.stream + min(streams, runs or streams) * self.work_for(length)


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

    `path` is None where the engine's own package holds the model. `digest` changes whenever the files do. `variant`
    is its precision where there are several. `split` says that it lies in parts that run in windows. `error_rate` is
    the published one in per cent, None where no source states it.
    """

    name: str
    engine: str
    role: Role
    languages: tuple[str, ...]
    path: Path | None = None
    digest: str = ""
    variant: str = "default"
    split: bool = False
    error_rate: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """How an engine runs a model: session settings by `name`, threads of one run, frames of a decoder's window.

    `stated` are session settings (see `onnx.options.Settings`) that the user stated, which go before those of the name.
    """

    name: str = "default"
    threads: int = 1
    window: int | None = None
    stated: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and everything about its running that changes what it takes: one resident is loaded for each choice.

    `runs` is how many of its streams may work at once. `cap` is the longest input that it is given (seconds of sound,
    characters of text), None for the role's own.
    """

    model: Model
    profile: Profile = Profile()
    placement: Placement = "worker"
    runs: int = 1
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """One line of `lowvox ps`: what a manager holds at this moment; `pid` is None for what is in its own process.

    `bytes` is what it is charged with now, `peak` when all its streams work. `keep_alive` is in seconds, -1 for ever.
    """

    model: str
    role: Role
    placement: Placement
    pid: int | None
    status: Literal["loading", "idle", "leased", "unloading"]
    bytes: int
    peak: int
    streams: int
    leases: int
    idle_s: float
    keep_alive: float
    pinned: bool


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


class PunctuatorStream(Stream, Protocol):
    """Small words without marks to what print adds to them."""

    @property
    def window(self) -> int:
        """How many words are looked at together."""

    def label(
        self,
        texts: Sequence[Sequence[str]],
        pauses: Sequence[Sequence[float]] | None = None,
        *,
        begins: bool = True,
        ends: bool = True,
    ) -> list[list[Label]]:
        """Label every word of each text of at most `window` words.

        `pauses` are the seconds of silence behind each word, where they are known. `begins` and `ends` say whether the
        texts are there from their beginning and to their end, or were cut.
        """


class SynthesizerStream(Stream, Protocol):
    """Text to speech, one sentence after the other."""

    @property
    def rate(self) -> int:
        """Samples a second of what `speak` gives."""

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM; closing the iterator stops the work."""


class BoundedStream(SynthesizerStream, Protocol):
    """A stream of an engine whose runs are bounded, so that no text takes more than another."""

    def heaviest(self) -> Iterator[bytes]:
        """Do what takes the most memory of all that `speak` may ever do: it is what measuring measures."""


class Resident(Protocol):
    """A loaded model: weights, shared by its streams."""

    def open(self, **options: object) -> Stream:
        """Begin a conversation; the options are the engine's own (language, voice, speed)."""

    def close(self) -> None:
        """Unload; may be called twice. Streams that are still open end with it."""


class Engine(Protocol):
    """Code that runs one family of models. Never downloads, reads audio files, knows budgets or prints."""

    def load(self, model: Model, profile: Profile) -> Resident:
        """Load `model`; raises DamagedError or NotFoundError in one sentence."""
