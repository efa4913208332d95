"""`lowvox doctor`: what is installed, what is missing and the command for it, and what this machine allows.

Each check is a function in `CHECKS` that yields findings; one that fails becomes a finding itself. No engine is loaded.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common
from lowvox.extras import command as how_to_get
from lowvox.report.doctor import Check, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# module -> the package that brings it, where the two differ.
_PACKAGES = {"Xlib": "python-xlib"}
# module -> what in it is under a licence that asks for its source to be passed on; the table is in NOTICE.
_COPYLEFT = {
    "soundfile": "libsndfile (LGPL-2.1-or-later)",
    "soxr": "libsoxr (LGPL-2.1-or-later)",
    "Xlib": "python-xlib (LGPL-2.1-or-later)",
    "pynput": "pynput (LGPL-3.0)",
    "espeakng_loader": "eSpeak NG (GPL-3.0-or-later; runs in a process of its own)",
}


@click.command(epilog="Example: lowvox doctor --json")
@common
def command(console: Console) -> None:
    """Say what is installed, what is missing and the command for it."""
    checks = list(examine())
    if console.json:
        console.emit({"checks": checks})
        return
    from shutil import get_terminal_size

    for line in lines(checks, sys.stdout.encoding, get_terminal_size((100, 24)).columns):
        click.echo(line)


def examine() -> Iterator[Check]:
    """Run every check; one that fails does not stop the others."""
    for check in CHECKS:
        try:
            yield from check()
        except Exception as error:
            yield Check(check.__name__, "warning", f"could not be checked ({type(error).__name__}: {error})")


def python() -> Iterator[Check]:
    """Python and the system."""
    import platform

    from lowvox import __version__

    yield Check("lowvox", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")


def engines() -> Iterator[Check]:
    """Every engine of the registry."""
    from lowvox.engines import ENGINES

    for name, entry in ENGINES.items():
        yield _package(f"engine {name}", entry.package, entry.extra, f"{entry.brings} ({entry.licence})")


def extras() -> Iterator[Check]:
    """The optional parts that are no engines."""
    keyboard = "pynput" if sys.platform in ("darwin", "win32") else "Xlib"
    yield _package("extra type", keyboard, "type", "dictating into the focused window")
    yield _package("extra plot", "matplotlib", "plot", "the memory table as a picture")


def _package(name: str, module: str, extra: str | None, brings: str) -> Check:
    if find_spec(module) is None:
        return Check(name, "missing", brings, how_to_get(extra))
    from importlib.metadata import version

    package = _PACKAGES.get(module, module)
    if module == "onnxruntime":
        from lowvox.onnx.providers import installed

        package = installed()[0]  # one of several wheels that bring this module
    return Check(name, "ok", f"{brings}: {package} {version(package)}")


def onnx() -> Iterator[Check]:
    """ONNX Runtime, what it can compute with, and whether its telemetry is off."""
    from lowvox.onnx import runtime, telemetry_off

    if find_spec("onnxruntime") is None:
        yield Check("onnxruntime", "missing", "running neural models", how_to_get(None))
        return
    from lowvox.onnx.providers import installed

    onnxruntime, wheels = runtime(), installed()
    built_with = ", ".join(onnxruntime.get_available_providers())
    if len(wheels) == 1:
        yield Check("onnxruntime", "ok", f"{wheels[0]} {onnxruntime.__version__}, {built_with}")
    else:
        pip = f"{sys.executable} -m pip"
        fix = f"{pip} uninstall -y {' '.join(wheels)} && {pip} install {wheels[0]}"
        yield Check("onnxruntime", "warning", f"{' and '.join(wheels)} have overwritten each other: only one fits", fix)
    if telemetry_off():
        yield Check("telemetry", "ok", "off: ORT_DISABLE_TELEMETRY=1 was set before ONNX Runtime was imported")
    else:
        yield Check(
            "telemetry",
            "warning",
            "ONNX Runtime was imported before lowvox could turn it off, and has written below the home folder",
            "set ORT_DISABLE_TELEMETRY=1",
        )


def providers() -> Iterator[Check]:
    """What can compute neural models here, after trying it; what cannot comes with the wheel that brings it."""
    from lowvox.onnx.providers import PROVIDERS, installed, survey, swap

    if find_spec("onnxruntime") is None:
        return
    for name, why in survey().items():
        known = PROVIDERS[name]
        if not why:
            use = "" if name == "cpu" else f'; the setting onnx.providers = "{name},cpu" has models use it'
            yield Check(f"provider {name}", "ok", f"computes here{use}")
        elif known.systems and sys.platform not in known.systems:
            detail = f"is not for this system ({sys.platform}): its wheel {known.wheel} needs {known.needs}"
            yield Check(f"provider {name}", "missing", detail)
        else:
            detail = f"{why}; it needs {known.needs} and its wheel in the place of {installed()[0]}"
            yield Check(f"provider {name}", "missing", detail, swap(name))


def sound() -> Iterator[Check]:
    """PortAudio, microphones and loudspeakers."""
    from lowvox.audio.portaudio import HOW_TO_GET_IT, portaudio
    from lowvox.errors import DeviceError

    try:
        sounddevice = portaudio()
    except DeviceError:
        yield Check("sound", "missing", "the microphone and loudspeakers need PortAudio", HOW_TO_GET_IT)
        return
    devices = sounddevice.query_devices()
    inputs = sum(device["max_input_channels"] > 0 for device in devices)
    outputs = sum(device["max_output_channels"] > 0 for device in devices)
    detail = f"{sounddevice.get_portaudio_version()[1].partition(',')[0]}: {inputs} to record, {outputs} to play"
    if inputs:
        yield Check("sound", "ok", detail)
    else:
        yield Check("sound", "warning", detail, "plug in a microphone, or use a recording: lowvox transcribe FILE")


def typing() -> Iterator[Check]:
    """Whether text can be typed into other programs' windows here."""
    yield _typing(sys.platform, os.environ)


def _typing(system: str, environment: Mapping[str, str]) -> Check:
    if system == "win32":
        return Check("typing", "ok", "possible, except into windows of programs that run as administrator")
    if system == "darwin":
        where = "System Settings, Privacy & Security, Accessibility"
        return Check("typing", "ok", f"possible once your terminal is allowed in {where}")
    display = environment.get("DISPLAY")
    if environment.get("XDG_SESSION_TYPE") == "wayland" or (environment.get("WAYLAND_DISPLAY") and not display):
        why = "not possible under Wayland, which lets no program type into the windows of others"
        return Check("typing", "warning", why, "lowvox dictate --clipboard, then paste; or log in to an X11 session")
    if display:
        return Check("typing", "ok", "possible (X11)")
    return Check("typing", "missing", "not possible: there is no desktop session here", "start lowvox from a desktop")


def clipboard() -> Iterator[Check]:
    """Whether text can be copied here."""
    from lowvox.desktop.clipboard import check
    from lowvox.errors import LowvoxError

    try:
        check()
    except LowvoxError as error:  # one sentence that says what to do
        yield Check("clipboard", "missing", str(error))
    else:
        yield Check("clipboard", "ok", "possible")


def memory() -> Iterator[Check]:
    """Free memory, and what it means for budgets."""
    from lowvox.errors import BudgetError
    from lowvox.memory import pressure
    from lowvox.memory.budget import Budget, automatic
    from lowvox.memory.meter import MB

    now = pressure.read()
    inside = f" inside a limit of {now.limit / MB:.0f} MB (cgroup)" if now.limit is not None else ""
    free = f"{now.room / MB:.0f} MB free{inside}"
    try:
        auto = Budget(automatic(now))
    except BudgetError as error:
        yield Check("memory", "warning", str(error))
    else:
        yield Check("memory", "ok", f"{free}: a larger --budget cannot be kept; --budget auto takes {auto}")


def folders() -> Iterator[Check]:
    """Lowvox's own folders."""
    from lowvox import folders as own

    for name, folder in (("config", own.config()), ("data", own.data()), ("cache", own.cache())):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        if nearest.is_dir() and os.access(nearest, os.W_OK):
            yield Check(f"folder {name}", "ok", str(folder) if folder.exists() else f"{folder} (not there yet)")
        else:
            fix = f"allow writing to {nearest}, or set LOWVOX_HOME to another folder"
            yield Check(f"folder {name}", "warning", f"{folder} cannot be written", fix)


def settings() -> Iterator[Check]:
    """The settings file and the variables."""
    from lowvox import settings as own
    from lowvox.errors import UsageError

    try:
        values = own.values()
    except UsageError as error:
        yield Check("settings", "warning", str(error), "lowvox config path says where the file is")
        return
    count = {source: sum(value.source == source for value in values) for source in ("file", "environment")}
    detail = f"{own.path()}: {count['file']} set there" if own.path().exists() else "no file: the defaults hold"
    yield Check("settings", "ok", f"{detail}, {count['environment']} set by the environment")


def models() -> Iterator[Check]:
    """Installed models, and what is wrong with those that are damaged."""
    from lowvox.models import installed

    found = installed()
    whole = ", ".join(model.name for model in found if not model.problem)
    yield Check("models", "ok", whole or "those inside the engines; `lowvox models` lists what `lowvox pull` can bring")
    for model in found:
        if model.problem:
            yield Check(f"model {model.name}", "warning", model.problem, f"lowvox rm {model.name}")


def licences() -> Iterator[Check]:
    """Parts whose licences ask something of whoever passes them on."""
    installed = [part for module, part in _COPYLEFT.items() if find_spec(module)]
    yield Check("licences", "ok", f"lowvox is Apache-2.0; of its parts here {', '.join(installed)}; NOTICE has all")


CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    python,
    engines,
    extras,
    onnx,
    providers,
    sound,
    typing,
    clipboard,
    memory,
    folders,
    settings,
    models,
    licences,
)
