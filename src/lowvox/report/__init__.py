"""What people read of a job: transcripts, the memory table, findings. One file per form; none does the job itself.

`save` is the door to the two forms of the memory table that are files: the ending of the name says which.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import extras
from lowvox.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.types import MemoryReport


def check(path: str | Path) -> None:
    """Find out before a long job, not after it, whether a report can be saved in this form.

    Raises UsageError where no form belongs to the ending, NotFoundError for .png without matplotlib.
    """
    from importlib.util import find_spec

    form = Path(path).suffix.lower()
    if form not in (".html", ".png"):
        raise UsageError(f"A memory report is saved as .html or .png; {Path(path).name!r} ends in neither.")
    if form == ".png" and find_spec("matplotlib") is None:
        raise NotFoundError(
            f"A PNG needs matplotlib: run `{extras.command('plot')}`, or name a file that ends in .html."
        )


def save(
    path: str | Path, report: MemoryReport, facts: Mapping[str, str], timeline: Sequence[tuple[float, float]] = ()
) -> None:
    """Write the report to `path`, a page for .html and a picture for .png.

    `facts` say what was run (command line, versions, machine); `timeline` is (seconds, PSS in MB), oldest first.
    Raises what `check` raises, and OutputError where writing fails.
    """
    from lowvox.files import replacing

    check(path)
    if Path(path).suffix.lower() == ".png":
        from lowvox.report.memory_plot import png

        content = png(report, facts, timeline)
    else:
        from lowvox.report.memory_page import page

        content = page(report, facts, timeline).encode()
    with replacing(Path(path), "wb") as file:
        file.write(content)
