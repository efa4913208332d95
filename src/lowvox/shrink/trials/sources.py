"""Where the graphs of a model are: of one that is installed, one that comes with lowvox, a folder, or a file.

Reads none of them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from lowvox import engines
from lowvox.errors import NotFoundError
from lowvox.models import catalogue, choose, store

SUFFIXES = (".onnx", ".ort")


def graphs(name: str) -> list[Path]:
    """Return the graphs of a model by its name or path, in the order of their names.

    NotFoundError where there is no such model, or it has no graphs.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    record = catalogue.records().get(name)
    if record and record.embedded:
        found = _shipped(record.engine, name)
    elif installed := next((one for one in store.installed() if one.name == name), None):
        found = _below(installed.path)
    elif path.is_dir():
        found = _below(path)
    elif path.suffix in SUFFIXES:
        raise NotFoundError(f"There is no file {name}; check the path.")
    else:
        raise choose.missing(name)
    if not found:
        raise NotFoundError(f"{name} has no graphs of ONNX Runtime; name a model that has, or a file.")
    return found


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def _shipped(engine: str, name: str) -> list[Path]:
    """Return the graphs that come with lowvox: those in the folder that the engine's module calls SHIPPED."""
    module = import_module(engines.entry(engine).at.partition(":")[0])
    folder: Path | None = getattr(module, "SHIPPED", None)
    if folder is None:
        return []
    own = folder / f"{name}.onnx"
    return [own] if own.is_file() else _below(folder)
