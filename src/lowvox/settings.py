"""The settings: environment over file over default, read once into a frozen `Settings`.

Environment names, error messages, the commented file of `lowvox config init` and the table in docs/settings.md all come
from the structs and the meanings below. What a budget, a voice or a model name means is not known here: those are kept
as text.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from lowvox import folders
from lowvox.errors import UsageError
from lowvox.onnx.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = "|".join(PROVIDERS)

# Each description completes the sentence "it must be ...".
Microphone = Annotated[str, Meta(min_length=1, description='"default", or a number or name in quotes')]
Language = Annotated[
    str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$", description="a language code such as en or de")
]
ModelName = Annotated[str, Meta(min_length=1, description="a name that `lowvox models` lists")]
Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Switch = Annotated[bool, Meta(description="true or false")]
Threads = Annotated[int, Meta(ge=1, description="a whole number from 1")]
Mode = Annotated[Literal["text", "keyboard", "clipboard"], Meta(description="text, keyboard or clipboard")]
Voice = Annotated[str, Meta(min_length=1, description="the name of a voice such as en-us")]
Speed = Annotated[float, Meta(ge=0.5, le=4, description="a number from 0.5 to 4")]
Factor = Annotated[float, Meta(ge=0, le=2, description="a number from 0 to 2")]
Times = Annotated[
    str, Meta(min_length=1, description='a time such as "60m", "0" or "-1", and NAME=TIME for roles or models')
]
Providers = Annotated[
    str,
    Meta(
        pattern=rf"^(auto|({_NAMES})(,({_NAMES}))*)$",
        description=f'"auto", or what may compute, the best first, such as "cuda,cpu": {", ".join(PROVIDERS)}',
    ),
]
Level = Annotated[
    Literal["disable_all", "basic", "extended", "layout", "all"],
    Meta(description="disable_all, basic, extended, layout or all"),
]
Execution = Annotated[Literal["sequential", "parallel"], Meta(description="sequential or parallel")]
Size = Annotated[str, Meta(min_length=1, description='a size such as "300 MB", or "auto"')]

Source = Literal["default", "file", "environment"]

# A plain number of MB, which beats `memory.budget`: guides of this field use this name.
BUDGET_ALIAS = "LOWVOX_MEMORY_LIMIT_MB"


class Audio(Struct, frozen=True):
    """What is heard."""

    microphone_id: Microphone = "default"
    language: Language = "en"
    model: ModelName | None = None
    vad_sensitivity: Share = 0.5


class Recognition(Struct, frozen=True):
    """How speech becomes text."""

    punctuation_enabled: Switch = True
    spoken_commands: Switch = False
    threads: Threads | None = None


class Output(Struct, frozen=True):
    """Where dictated text goes."""

    mode: Mode = "text"


class Speech(Struct, frozen=True):
    """How text is spoken."""

    voice: Voice | None = None
    rate: Speed = 1.0
    pitch: Factor = 1.0
    volume: Factor = 1.0


class Memory(Struct, frozen=True):
    """How much memory lowvox may take."""

    budget: Size | None = None
    keep_alive: Times = "-1"


class Onnx(Struct, frozen=True):
    """How ONNX Runtime runs models, by its own names; what is not set is chosen for each model."""

    providers: Providers = "cpu"
    intra_op_num_threads: Threads | None = None
    inter_op_num_threads: Threads | None = None
    execution_mode: Execution | None = None
    allow_spinning: Switch | None = None
    graph_optimization_level: Level | None = None
    enable_cpu_mem_arena: Switch | None = None
    enable_memory_arena_shrinkage: Switch | None = None
    enable_mem_pattern: Switch | None = None
    disable_prepacking: Switch | None = None
    set_denormal_as_zero: Switch | None = None


class Settings(Struct, frozen=True):
    """All settings, one table each."""

    audio: Audio = Audio()
    recognition: Recognition = Recognition()
    output: Output = Output()
    speech: Speech = Speech()
    memory: Memory = Memory()
    onnx: Onnx = Onnx()


MEANINGS = {
    "audio.microphone_id": "which microphone, as `lowvox dictate --list-devices` shows it",
    "audio.language": "the language spoken",
    "audio.model": "the model that recognises speech; without it the best one installed",
    "audio.vad_sensitivity": "how readily sound counts as speech",
    "recognition.punctuation_enabled": "put in punctuation and capitals",
    "recognition.spoken_commands": 'write "comma", "new paragraph" and the like as what they stand for',
    "recognition.threads": "processor threads an engine may use; the engines of today use one",
    "output.mode": "dictation is printed, typed into the focused window, or copied",
    "speech.voice": "who speaks; without it the voice of the language",
    "speech.rate": "speed; 1 is normal",
    "speech.pitch": "height of the voice; 1 is normal",
    "speech.volume": "loudness; 1 is normal",
    "memory.budget": "memory for the whole of lowvox, shared by all that run; without it there is no limit",
    "memory.keep_alive": "how long an idle model stays in memory; -1 is for ever",
    "onnx.providers": "what computes neural models; `lowvox doctor` says what there is",
    "onnx.intra_op_num_threads": "threads that work on one operator",
    "onnx.inter_op_num_threads": "operators that are worked on at once, if parallel",
    "onnx.execution_mode": "operators one after the other, or side by side",
    "onnx.allow_spinning": "threads wait at full speed instead of sleeping",
    "onnx.graph_optimization_level": "how far graphs are rewritten when they are loaded",
    "onnx.enable_cpu_mem_arena": "a run takes its memory in few large pieces",
    "onnx.enable_memory_arena_shrinkage": "the arena is handed back after each run",
    "onnx.enable_mem_pattern": "a run's memory is laid out as that of one of the same shape was",
    "onnx.disable_prepacking": "weights are not copied into the order in which they are read",
    "onnx.set_denormal_as_zero": "numbers next to nothing count as nothing",
}


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of one key: `type` converts its value, `allowed` and `meaning` are for people."""

    name: str
    environment: str
    type: Any
    default: object
    allowed: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Value:
    """The value of one key and where it comes from."""

    key: str
    value: object
    source: Source


def _keys() -> Iterator[Key]:
    for table in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(table.type):
            name = f"{table.name}.{field.name}"
            environment = "LOWVOX_" + name.replace(".", "_").upper()
            yield Key(name, environment, field.type, field.default, _allowed(field.type), MEANINGS[name])


def _allowed(kind: Any) -> str:
    """Return the description of `Annotated[...]` or `Annotated[...] | None`."""
    first, second = get_args(kind)
    return str(second.description) if isinstance(second, Meta) else _allowed(first)


KEYS = {key.name: key for key in _keys()}


def path() -> Path:
    """Return where the settings file is, or would be."""
    return folders.config() / "config.toml"


def load() -> Settings:
    """Read the settings; UsageError names the file or variable, the key, its value and what is allowed."""
    tables: dict[str, dict[str, object]] = {}
    for found in values():
        table, _, name = found.key.partition(".")
        tables.setdefault(table, {})[name] = found.value
    return msgspec.convert(tables, Settings)


def values() -> list[Value]:
    """Read the settings as one line a key, with the source of each; raises what `load` raises."""
    found = {key.name: Value(key.name, key.default, "default") for key in KEYS.values()}
    for name, value in _flat(_file()):
        found[name] = Value(name, _checked(_known(name), value, str(path())), "file")
    for key in KEYS.values():
        # A variable set to nothing counts as not set, as shells make it easy to leave one behind.
        if text := os.environ.get(key.environment):
            found[key.name] = Value(key.name, _checked(key, text, key.environment, strict=False), "environment")
    if text := os.environ.get(BUDGET_ALIAS):
        found["memory.budget"] = Value("memory.budget", _megabytes(text), "environment")
    return list(found.values())


def _file() -> dict[str, Any]:
    """Read the file's tables; a file that is not there has none."""
    try:
        # Windows editors begin a file with a mark that TOML does not know.
        return tomllib.loads(path().read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read ({error.strerror})"
        raise UsageError(
            f"The settings file {path()} {why}: repair it, or move it away to use the defaults."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"The settings file {path()} is not valid TOML: {error}. Correct it there, or move the file away to use "
            "the defaults."
        ) from error


def _flat(tables: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield (table.key, value); what stands outside the tables keeps its bare name, which no setting has."""
    for table, content in tables.items():
        if isinstance(content, dict) and (content or table in Settings.__struct_fields__):
            yield from ((f"{table}.{name}", value) for name, value in content.items())
        else:
            yield table, content


def _known(name: str) -> Key:
    if name in KEYS:
        return KEYS[name]
    from difflib import get_close_matches

    near = get_close_matches(name, KEYS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`lowvox config show` lists the keys."
    raise UsageError(f"There is no setting {name} in the settings file {path()}: {hint}")


def _checked(key: Key, value: object, where: str, *, strict: bool = True) -> object:
    """Return the value as the key's type; not strict: text may be a number or a truth value."""
    try:
        return msgspec.convert(value, key.type, strict=strict)
    except msgspec.ValidationError as error:
        raise UsageError(f"{key.name} is {value!r} in {where}: it must be {key.allowed}.") from error


def _megabytes(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not float(text):
        raise UsageError(f"{BUDGET_ALIAS} is {text!r}: it must be a number of MB such as 300.")
    return f"{text} MB"
