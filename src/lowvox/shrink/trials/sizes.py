"""How many bytes a variant takes on disk: a graph with its files of weights, a folder, or a model in a package."""

from __future__ import annotations

import mmap
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import engines
from lowvox.shrink.rounding import RECIPE

if TYPE_CHECKING:
    from lowvox.types import Model

# How ONNX names another file: the key, a tag, a length of one byte, the name.
_ELSEWHERE = re.compile(rb"location\x12([\x01-\x7f])")
_CODE = frozenset({".py", ".pyc", ".pyi", ".pyx", ".pxd", ".so", ".dll", ".dylib", ".typed"})


def graph(path: Path) -> int:
    """Return the bytes of a graph, with the files that it says its weights lie in; 0 where there is none."""
    if not path.is_file():
        return 0
    beside = {path.parent / name for name in _elsewhere(path)}
    return sum(file.stat().st_size for file in {path, *beside} if file.is_file())


def model(found: Model) -> int:
    """Return the bytes of a model's files; those of a built-in one are what lies in its package and is no code."""
    where = found.path or _shipped(found)
    if where.is_file():
        return graph(where)
    return sum(file.stat().st_size for file in where.rglob("*") if file.is_file() and not _is_beside(file))


def _shipped(found: Model) -> Path:
    """Return where a built-in model lies."""
    entry = engines.entry(found.engine)
    folder = getattr(import_module(entry.at.partition(":")[0]), "SHIPPED", None)
    if folder is None:
        package = find_spec(entry.package)
        assert package
        assert package.origin
        return Path(package.origin).parent
    file = Path(folder) / f"{found.name}.onnx"
    return file if file.is_file() else Path(folder)


def _is_beside(file: Path) -> bool:
    """Whether it is code, or says how a model was made: no part of the model."""
    return bool(_CODE & {*file.suffixes}) or file.name.endswith(RECIPE)


def _elsewhere(path: Path) -> set[str]:
    """Return the names of the files that a graph's weights lie in."""
    if not path.stat().st_size:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        found = [(one.end(), one[1][0]) for one in _ELSEWHERE.finditer(held)]
        return {held[at : at + length].decode(errors="replace") for at, length in found}
