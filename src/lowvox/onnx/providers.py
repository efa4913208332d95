"""Execution providers: what may compute a graph, by preference, with a fallback that is said and never silent.

ONNX Runtime lists what a wheel was built with, whether it works here or not; where it does not, a session is quietly
one of the CPU. So what counts is what a session says of itself after it was built. Only one onnxruntime wheel can be
installed at a time, all are the same module. Knows no model. `python -m lowvox.onnx.providers` prints what works here.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lowvox.errors import EngineError, NotFoundError, UsageError
from lowvox.onnx import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Provider:
    """What is known of a provider: ONNX Runtime's name for it and the wheel that brings it.

    `systems` are those it is for, as `sys.platform` says them, and `needs` what must be there besides the wheel.
    """

    own: str
    wheel: str
    systems: tuple[str, ...]
    needs: str


PROVIDERS: dict[str, Provider] = {
    "cuda": Provider(
        "CUDAExecutionProvider", "onnxruntime-gpu[cuda,cudnn]", ("linux", "win32"), "a graphics card of NVIDIA"
    ),
    "migraphx": Provider("MIGraphXExecutionProvider", "onnxruntime-migraphx", ("linux",), "AMD's ROCm with MIGraphX"),
    "rocm": Provider("ROCMExecutionProvider", "onnxruntime-rocm", ("linux",), "AMD's ROCm"),
    "directml": Provider("DmlExecutionProvider", "onnxruntime-directml", ("win32",), "DirectX 12"),
    "coreml": Provider("CoreMLExecutionProvider", "onnxruntime", ("darwin",), "macOS"),
    "openvino": Provider(
        "OpenVINOExecutionProvider", "onnxruntime-openvino", ("linux", "win32"), "a processor of Intel"
    ),
    "cpu": Provider("CPUExecutionProvider", "onnxruntime", (), "nothing"),
}
AUTO = "auto"
# OpenVINO is not among them: on a processor it is a third quicker with floats, takes nearly twice the memory, loads in
# seconds what loads in tenths, and does not finish with 8 bits (docs/sessions.md).
_AUTOMATIC = ("cuda", "migraphx", "rocm", "directml", "coreml", "cpu")
# x -> Identity -> y, which all wheels read: what a provider is tried on.
_TRIAL = bytes.fromhex(
    "08073a370a100a017812017922084964656e746974791201745a0f0a0178120a"
    "0a08080112040a020801620f0a0179120a0a08080112040a02080142040a00100d"
)
_PATIENCE_S = 120.0


def chain(text: str) -> tuple[str, ...]:
    """Read "auto", or names such as "cuda,cpu", the best first; UsageError for a name that is none."""
    if text.strip() == AUTO:
        return _AUTOMATIC
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",")))
    for name in names:
        if name not in PROVIDERS:
            raise UsageError(f"There is no provider {name!r}; there are {', '.join(PROVIDERS)}, and {AUTO}.")
    return names


def usable(text: str, note: Callable[[str], None]) -> tuple[str, ...]:
    """Return of the providers asked for those that work here, after trying them in a process of its own.

    `note` is told of each other one, with the wheel that brings it; of those that nobody named only where its wheel is
    installed. NotFoundError where none is left: whoever names one alone wants no other.
    """
    names = chain(text)
    if names == ("cpu",):
        return names
    found = survey()
    missing = {name: why for name in names if (why := found[name])}
    left = tuple(name for name in names if name not in missing)
    if not left:
        raise NotFoundError(" ".join(_sentence(name, why) for name, why in missing.items()))
    for name, why in missing.items():
        if text.strip() != AUTO or why != ABSENT:
            note(f"{_sentence(name, why).removesuffix('.')}; until then {left[0]} does the work.")
    return left


def build(make: Callable[[list[str]], Any], names: Sequence[str], what: str) -> Any:
    """Build a session of `what` with the first of these providers that takes it; `make` is given ONNX Runtime's names.

    Warns once of each that does not. Where the CPU is not among them NotFoundError, or EngineError from the graph.
    """
    missing: dict[str, str] = {}
    for name in names:
        session, why = (make([PROVIDERS["cpu"].own]), "") if name == "cpu" else _attempt(name, make)
        if session is not None:
            for gone, reason in missing.items():
                _warn(f"{_sentence(gone, reason).removesuffix('.')}; until then {name} does the work.")
            return session
        missing[name] = why
    told = " ".join(_sentence(name, why) for name, why in missing.items())
    kind = NotFoundError if ABSENT in missing.values() else EngineError
    raise kind(f"{what} was to be computed by {' or '.join(names)} alone. {told}")


def of(session: Any) -> str:
    """Return which provider a session of ONNX Runtime has, by our name."""
    first = session.get_providers()[0]
    return next((name for name, known in PROVIDERS.items() if known.own == first), first)


ABSENT = "is not in the installed onnxruntime"


def _attempt(name: str, make: Callable[[list[str]], Any]) -> tuple[Any, str]:
    """Return a session that a provider has really taken, or None and why it has not."""
    own = PROVIDERS[name].own
    if own not in runtime().get_available_providers():
        return None, ABSENT
    if name == "cuda":
        _preload()
    try:
        session = make([own, PROVIDERS["cpu"].own])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        return None, f"failed ({(str(error).splitlines() or [type(error).__name__])[0][:160].strip(' .')})"
    if own in session.get_providers():
        return session, ""
    return None, "did not start: its libraries or its device are missing"


@cache
def _preload() -> None:
    """Load CUDA's libraries from their wheels; what it prints of those that are not there is of no use here."""
    with redirect_stdout(None):
        runtime().preload_dlls()


def _sentence(name: str, why: str) -> str:
    """Say what is missing and how to get it."""
    known = PROVIDERS[name]
    if known.systems and sys.platform not in known.systems:
        return f"The provider {name} is not for this system ({sys.platform})."
    return f"The provider {name} {why}; it needs {known.needs} and the wheel: {swap(name)}."


def swap(name: str) -> str:
    """Return the command that puts the wheel with a provider into the place of the installed one."""
    pip = f"{sys.executable} -m pip"
    return f"{pip} uninstall -y {' '.join(installed())} && {pip} install '{PROVIDERS[name].wheel}'"


@cache
def installed() -> tuple[str, ...]:
    """Return the onnxruntime wheels that are installed; there should be one."""
    from importlib import metadata

    names = dict.fromkeys(known.wheel.partition("[")[0] for known in PROVIDERS.values())
    found = {name: next(iter(metadata.distributions(name=name)), None) for name in names}
    return tuple(name for name, there in found.items() if there) or ("onnxruntime",)


@cache
def _warn(sentence: str) -> None:
    """Say something once."""
    warnings.warn(sentence, RuntimeWarning, stacklevel=4)


def survey() -> dict[str, str]:
    """Return why each provider cannot be had here, "" where it can.

    They are tried in a process of its own: one may crash, and all that were loaded take memory.
    """
    import json
    import subprocess

    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return {name: "" if name == "cpu" else "could not be tried: trying it ended the process" for name in PROVIDERS}


def _try_all(names: Iterable[str]) -> dict[str, str]:
    """Try providers in this process."""
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4

    def make(own: list[str]) -> Any:
        return onnxruntime.InferenceSession(_TRIAL, options, providers=own, enable_fallback=0)

    return {name: "" if name == "cpu" else _attempt(name, make)[1] for name in names}


if __name__ == "__main__":
    import json

    print(json.dumps(_try_all(PROVIDERS)))
