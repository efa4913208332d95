"""The time line of a run, kept in the cache folder where `LOWVOX_ENABLE_MEMORY_PROFILING` asks for it.

Memory over time with a mark at each load, run and eviction: as JSON, and as a picture (PNG where matplotlib is, else
SVG). The latest twenty are kept. Failing to keep one is no failure of the run.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import datetime
from textwrap import shorten
from typing import TYPE_CHECKING

from lowvox import folders
from lowvox.errors import LowvoxError, UsageError
from lowvox.files import replacing
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.memory.monitor import Monitor
    from lowvox.types import MemoryReport

SWITCH = "LOWVOX_ENABLE_MEMORY_PROFILING"
KEPT = 20
_ON = ("1", "true", "yes", "on")
_OFF = ("", "0", "false", "no", "off")
_STYLE = """
svg { font: 13px system-ui, sans-serif; background: #fff; } text { fill: #5b6470; } text.limit { fill: #b3261e; }
.limit { stroke: #b3261e; stroke-width: 2; stroke-dasharray: 6 4; } text.limit { stroke: none; }
.grid { stroke: #d5dae1; } .area { fill: #0072b2; opacity: .18; } .peak { fill: #0072b2; }
.curve { fill: none; stroke: #0072b2; stroke-width: 2; }
.mark { fill: #009e73; stroke: #009e73; } .run { fill: none; stroke: #cc79a7; } .evict { fill: #d55e00; stroke: none; }
"""


def wanted() -> bool:
    """Whether runs are to be kept; UsageError where the switch is neither on nor off."""
    value = os.environ.get(SWITCH, "").strip().lower()
    if value not in _ON + _OFF:
        raise UsageError(f"{SWITCH} is {value!r}: it must be 1 or 0.")
    return value in _ON


def keep(monitor: Monitor, memory: MemoryReport) -> str:
    """Write the time line of a run that has ended, and say in a sentence where it is, or why it could not be kept."""
    folder = folders.cache() / "timelines"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _free(folder)
        with replacing(path, "wb") as file:
            file.write(_json(monitor, memory))
        picture = _draw(path, monitor, memory)
    except (OSError, LowvoxError) as error:
        return f"The time line of this run could not be kept: {error}"
    _sweep(folder)
    return f"The memory of this run over time is in {path} and, drawn, in {picture}."


def _free(folder: Path) -> Path:
    """Return a name that is not taken: the time, and this process."""
    stem = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.getpid()}"
    taken = {path.stem for path in folder.iterdir()}
    names = (stem, *(f"{stem}-{again}" for again in range(2, len(taken) + 3)))
    return folder / f"{next(name for name in names if name not in taken)}.json"


def _json(monitor: Monitor, memory: MemoryReport) -> bytes:
    import msgspec

    content = {
        "command": _command(),
        "pid": os.getpid(),
        "memory": memory,
        "samples": [[round(at, 3), round(pss / MB, 2)] for at, pss in monitor.timeline],
        "marks": [{"at_s": round(mark.at, 3), "kind": mark.kind, "name": mark.name} for mark in monitor.marks],
        "alerts": [{"at_s": round(one.at, 3), "kind": one.kind, "text": one.text} for one in monitor.alerts],
    }
    return msgspec.json.encode(content) + b"\n"


def _draw(path: Path, monitor: Monitor, memory: MemoryReport) -> Path:
    """Draw beside `path`; return the picture's name."""
    from importlib.util import find_spec

    samples = [(at, pss / MB) for at, pss in monitor.timeline]
    marks = [(mark.at, mark.kind, mark.name) for mark in monitor.marks]
    if find_spec("matplotlib"):
        from lowvox.report.memory_plot import png

        picture, content = path.with_suffix(".png"), png(memory, {"command": _command()}, samples, marks)
    else:
        from lowvox.report.memory_svg import curve, standalone

        drawn = standalone(curve(samples, memory.budget_mb, marks), _STYLE)
        picture, content = path.with_suffix(".svg"), drawn.encode()
    with replacing(picture, "wb") as file:
        file.write(content)
    return picture


def _sweep(folder: Path) -> None:
    """Remove all but the latest; names sort by time."""
    stems = sorted({path.stem for path in folder.iterdir()})
    for stem in stems[:-KEPT]:
        for path in folder.glob(f"{stem}.*"):
            with suppress(OSError):
                path.unlink()


def _command() -> str:
    return shorten(" ".join(["lowvox", *sys.argv[1:]]), 300, placeholder=" ...")
