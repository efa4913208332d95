"""Packages that lowvox works with: which version is installed, and the command that brings an optional one."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

# What other packages bring the same module; one of them can be installed at a time.
_OTHERS = {
    "onnxruntime": (
        *("onnxruntime-gpu", "onnxruntime-migraphx", "onnxruntime-rocm"),
        *("onnxruntime-directml", "onnxruntime-openvino"),
    )
}


def command(extra: str | None) -> str:
    """Return the shell command for an extra, or for what the core needs."""
    what = f"'lowvox[{extra}]'" if extra else "lowvox"
    return f"{sys.executable} -m pip install {what}"


@cache
def version(package: str) -> str:
    """Return the version of an installed package, by the name of the module in it; "" where none is known.

    A wheel's folder has it in its name: `importlib.metadata`, which would read it from within, takes 1.6 MB. One that
    another package brings has that package's name before it.
    """
    if found := _version(package):
        return found
    for other in _OTHERS.get(package, ()):
        if found := _version(other):
            return f"{other} {found}"
    from importlib import metadata

    try:
        return metadata.version(package.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return ""


def _version(package: str) -> str:
    """Return the version in the name of a wheel's folder."""
    name = package.replace("-", "_")
    for folder in sys.path:
        for found in Path(folder).glob(f"{name}-*.dist-info"):
            return found.stem.removeprefix(f"{name}-")
    return ""
