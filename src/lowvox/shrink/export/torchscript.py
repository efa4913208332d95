"""TorchScript files, loose or inside a torch.package, opened on the processor without running the Python they bring.

A torch.package holds Python code and a pickle beside its TorchScript modules, and its own loader runs both. Here only
the modules are read, which is code of a small language of their own. Knows nothing of what a module is for.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lowvox import extras
from lowvox.errors import DamagedError, LowvoxError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PACKED = ".data/ts_code/"


def require(needed: Sequence[str] = ("torch", "onnx")) -> None:
    """Raise NotFoundError, which names the command that installs it, where what converting needs is missing."""
    if lacking := [name for name in needed if find_spec(name) is None]:
        raise NotFoundError(
            f"Converting a model needs more than is installed ({' and '.join(lacking)}): run "
            f"`{extras.command('shrink')}`."
        )


def modules(path: Path) -> list[Any]:
    """Return the TorchScript modules in a file, mapped to the processor.

    NotFoundError where there is no such file; DamagedError for one that is cut, or that is something else.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    _is_archive(path)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # what its C++ warns of is no Python warning
    import torch

    with quiet(), torch.no_grad():
        try:
            reader = torch._C.PyTorchFileReader(str(path))
            packed = sorted({name.split("/")[2] for name in reader.get_all_records() if name.startswith(_PACKED)})
            numbers = [name for name in packed if name.isdigit()]
            found = [_unpacked(reader, number) for number in numbers] or [torch.jit.load(str(path), map_location="cpu")]
        except Exception as error:  # torch raises RuntimeError, and what its C++ parts give
            raise _unreadable(path, error) from error
    return [module.eval() for module in found]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's warnings to itself: they are about its own future."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def alone() -> Iterator[None]:
    """Run networks as they are and on one thread: compiling for each length and waiting for busy cores takes longer."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.jit.optimized_execution(False):
            yield
    finally:
        torch.set_num_threads(threads)


def _unpacked(reader: Any, number: str) -> Any:
    """Return one module of a torch.package; modules share their storages, and each is read on its own."""
    import torch

    unit, storages = torch._C.CompilationUnit(), torch._C.DeserializationStorageContext()
    inner = torch._C._import_ir_module_from_package(unit, reader, storages, torch.device("cpu"), number)
    return torch.jit._recursive.wrap_cpp_module(inner)


def _is_archive(path: Path) -> None:
    """Raise DamagedError for what cannot hold TorchScript, in words that say what it is."""
    with path.open("rb") as file:
        begins = file.read(4)
    if begins != b"PK\x03\x04":
        raise DamagedError(f"{path} is no PyTorch file: it is not even a zip archive; give the .pt file itself.")
    if not zipfile.is_zipfile(path):
        raise DamagedError(f"{path} is cut: its end is missing; copy or download it again.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DamagedError(f"{path} is damaged ({error}); copy or download it again.") from error
    if not any(name.endswith("/constants.pkl") for name in names):
        raise DamagedError(
            f"{path} holds no TorchScript: it may be weights alone, or another archive; give the released .pt file."
        )


def _unreadable(path: Path, error: Exception) -> LowvoxError:
    import torch

    first = (str(error).splitlines() or [""])[0][:200].rstrip(". ")
    return DamagedError(f"PyTorch {torch.__version__} cannot read {path} ({first}); copy or download it again.")
