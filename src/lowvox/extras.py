"""Packages that lowvox works with: which version is installed, and the command that brings an optional one."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


def command(extra: str | None) -> str:
    """Return the shell command for an extra, or for what the core needs."""
    what = f"'lowvox[{extra}]'" if extra else "lowvox"
    return f"{sys.executable} -m pip install {what}"


@cache
def version(package: str) -> str:
    """Return the version of an installed package, by the name of the module in it; "" where none is known.

    A wheel's folder has it in its name: `importlib.metadata`, which would read it from within, takes 1.6 MB.
    """
    name = package.replace("-", "_")
    for folder in sys.path:
        for found in Path(folder).glob(f"{name}-*.dist-info"):
            return found.stem.removeprefix(f"{name}-")
    from importlib import metadata

    try:
        return metadata.version(package.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return ""
