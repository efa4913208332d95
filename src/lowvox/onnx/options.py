"""The settings of a session: what each profile's name stands for, and what the user stated instead.

The names are those that ONNX Runtime and the guides to it use; docs/sessions.md says what each does to lowvox's models,
measured. What a user stated is passed on as it is. Knows no graph but for whether its weights are in 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError
from lowvox.onnx import runtime

if TYPE_CHECKING:
    from lowvox.types import Profile

LEVELS = ("disable_all", "basic", "extended", "layout", "all")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session is built with; None: what suits the graph.

    `enable_memory_arena_shrinkage` hands the arena back after each run. `intra_op_num_threads` is how many threads work
    on one operator, `inter_op_num_threads` how many operators are worked on at once, where `execution_mode` is
    "parallel". `providers` is what may compute, the best first: see `providers`.
    """

    enable_cpu_mem_arena: bool = True
    enable_memory_arena_shrinkage: bool = True
    enable_mem_pattern: bool = True
    disable_prepacking: bool | None = None
    graph_optimization_level: str | None = None
    execution_mode: str = "sequential"
    intra_op_num_threads: int = 1
    inter_op_num_threads: int = 1
    # Threads that wait by spinning take the processor from whoever records, plays or recognises meanwhile.
    allow_spinning: bool = False
    set_denormal_as_zero: bool = False
    providers: tuple[str, ...] = ("cpu",)


# On a VITS decoder of 14 M parameters, 200 frames, in MB above the process: peak, then what is held after the run
# (benchmarks/sessions.py; ONNX Runtime as it comes: 162 to 177, all of it kept).
PROFILES: dict[str, Settings] = {
    # Handing the arena back: its pages have to come anew, which is up to 4 % of a run's time whatever its length, and
    # an idle session holds half of what it did.
    "default": Settings(),  # 129, 72; 2 to 4 % slower than as it comes
    # A whole voice takes a tenth longer, in INT8 a fifth (profiles.py).
    "no-arena": Settings(enable_cpu_mem_arena=False),  # 121, 68
    # For an .ort in INT8: unpacked its convolutions take a quarter longer, large products 2.7 times as long. In FP32
    # neither does.
    "packed": Settings(disable_prepacking=False),
    # For a graph whose inputs have another length each time: what is laid out for each length stays behind, and an idle
    # voice held 75 to 124 MB in turn, without it 73 to 81.
    "varied": Settings(enable_mem_pattern=False),
}
# An .ort that is not mapped is copied twice while it loads. Mapped, its weights are pages of the file: the system can
# drop them and read them again, and two processes have them once.
_MAPPED = (
    "session.use_memory_mapped_ort_model",
    "session.use_ort_model_bytes_directly",
    "session.use_ort_model_bytes_for_initializers",
)
MAPPED_SUFFIX = ".ort"
# Operators stand before weights in a file; in a voice of 12,000 nodes the first of these stood 0.2 MB behind the start.
_ROUNDED, _BEGINNING = b"QuantizeLinear", 2**22


def settings(profile: Profile) -> Settings:
    """Return what a profile stands for; UsageError for an unknown name, of the profile or of what was stated in it."""
    if profile.name not in PROFILES:
        raise UsageError(f"There is no session profile {profile.name!r}; there are {', '.join(PROFILES)}.")
    stated = dict(profile.stated)
    names = [field.name for field in fields(Settings)]
    for name in stated:
        if name not in names:
            raise UsageError(f"There is no session setting {name!r}; there are {', '.join(names)}.")
    return replace(PROFILES[profile.name], **{"intra_op_num_threads": profile.threads, **stated})


def session_options(settings: Settings, source: str | Path | bytes) -> Any:
    """Return ONNX Runtime's options for a graph, by its path or its bytes."""
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised, and what is only odd is not for users
    options.enable_cpu_mem_arena = settings.enable_cpu_mem_arena
    options.enable_mem_pattern = settings.enable_mem_pattern
    options.intra_op_num_threads = settings.intra_op_num_threads
    options.inter_op_num_threads = settings.inter_op_num_threads
    options.execution_mode = onnxruntime.ExecutionMode.__members__[f"ORT_{settings.execution_mode.upper()}"]
    options.graph_optimization_level = _level(settings.graph_optimization_level or _best_level(source))
    for key, value in _entries(settings, source).items():
        options.add_session_config_entry(f"session.{key}", value)
    return options


@cache
def run_options(settings: Settings) -> Any:
    """Return ONNX Runtime's options for a run."""
    options = runtime().RunOptions()
    options.log_severity_level = 4
    if settings.enable_cpu_mem_arena and settings.enable_memory_arena_shrinkage:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _entries(settings: Settings, source: str | Path | bytes) -> dict[str, str]:
    """Return what ONNX Runtime takes as text."""
    mapped = not isinstance(source, bytes) and Path(source).suffix == MAPPED_SUFFIX
    unpacked = mapped if settings.disable_prepacking is None else settings.disable_prepacking
    switches = {
        "intra_op.allow_spinning": settings.allow_spinning,
        "inter_op.allow_spinning": settings.allow_spinning,
        "set_denormal_as_zero": settings.set_denormal_as_zero,
        "disable_prepacking": unpacked,
    }
    switches |= {key.removeprefix("session."): True for key in _MAPPED if mapped}
    return {key: str(int(on)) for key, on in switches.items()}


def _level(name: str) -> Any:
    full = "ORT_DISABLE_ALL" if name == "disable_all" else f"ORT_ENABLE_{name.upper()}"
    return runtime().GraphOptimizationLevel.__members__[full]


def _best_level(source: str | Path | bytes) -> str:
    """Return the level that is quickest.

    "all" lays data out for convolutions of floats; around those of 8 bits that costs a tenth of the time (profiles.py).
    """
    if isinstance(source, bytes):
        beginning = source[:_BEGINNING]
    else:
        with Path(source).open("rb") as file:
            beginning = file.read(_BEGINNING)
    return "extended" if _ROUNDED in beginning else "all"
