"""What the commands share that convert a model: it is written into a folder, or installed, and that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Converted(Protocol):
    """A model that was converted into `folder`; `size` in bytes."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def size(self) -> int:
        """How large it is."""


_Done = TypeVar("_Done", bound=Converted)


def brought(
    convert: Callable[[Path], _Done], output: Path | None, name: Callable[[_Done], str]
) -> tuple[_Done, Path, str | None]:
    """Convert into `output`, or into a folder of its own that is brought into the store under its name.

    Returns what came of it, where it is, and the name of what was installed.
    """
    if output is not None:
        done = convert(output)
        return done, done.folder, None
    from lowvox.models import install
    from lowvox.models.disk import beside

    with beside() as lent:
        done = convert(lent / "model")
        found = install.bring(done.folder, name(done))
    return done, found.path, found.name


def where(done: Converted, path: Path, installed: str | None) -> str:
    """Say where it is now."""
    if installed:
        return f"Installed {installed} ({done.size / MB:.0f} MB) in {path}."
    return f"Written to {path} ({done.size / MB:.0f} MB); `lowvox pull {path}` installs it."
