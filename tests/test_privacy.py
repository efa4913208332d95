"""The privacy proof: real processes in an empty home write only into lowvox's folders and connect to nothing.

Two detectors watch every process of a job: an audit hook in Python (`sitecustomize`, inherited by the processes that
lowvox starts) and, where it is installed, `strace`, which sees what libraries do as well. Both are shown to notice a
connection. To watch another command, add a line to `JOBS`.
"""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lowvox
from lowvox.engines import available

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(lowvox.__file__).parent
CLIP = SOURCE / "audio" / "clip.flac"
OWN = {
    "linux": (".config", ".local/share", ".cache"),
    "darwin": ("Library/Application Support", "Library/Caches"),
}
MAIN = "from lowvox.commands import main; main()"
ONNX = """
import lowvox.onnx
onnxruntime = lowvox.onnx.runtime()
import onnxruntime.datasets
session = onnxruntime.InferenceSession(onnxruntime.datasets.get_example("sigmoid.onnx"))
"""
WORKER = """
from lowvox.errors import EngineError
from lowvox.memory.worker import Worker
worker = Worker("a worker")
try:
    worker.call(0, "load", "no.such:Engine", None, None)
except EngineError:
    worker.close()
"""
HOOK = """
import os, sys
log = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(log, b"watching\\n")
ASKS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
REACHES = ("socket.connect", "socket.sendto", "socket.bind")
def watch(event, arguments):
    # An address that is no tuple is a path: a socket of this machine's own.
    if event in ASKS or event in REACHES and isinstance(arguments[1], tuple):
        os.write(log, f"{event} {arguments!r}\\n".encode())
sys.addaudithook(watch)
"""


@dataclass(frozen=True)
class Job:
    """What to run, what it may leave in its working folder, and the engine without which it cannot run."""

    arguments: list[str]
    leaves: set[str] = field(default_factory=set)
    engine: str | None = None


# A picture brings in matplotlib, which keeps a cache of fonts.
PLOT = ["--plot", "memory.png"] if find_spec("matplotlib") else []
JOBS = {
    "help": Job(["-c", MAIN, "--help"]),
    "onnx": Job(["-c", ONNX]),
    "doctor": Job(["-c", MAIN, "doctor", "--json"]),
    "config": Job(["-c", MAIN, "config", "show"]),
    "models": Job(["-c", MAIN, "models"]),
    "transcribe": Job(["-c", MAIN, "transcribe", str(CLIP), "--json"]),
    "dictate": Job(["-c", MAIN, "dictate", "--from", str(CLIP), "--json"]),
    "say": Job(["-c", MAIN, "say", "Nothing leaves.", "-o", "spoken.wav"], {"spoken.wav"}, "espeak"),
    "demo": Job(["-c", MAIN, "demo", *PLOT], {"memory.png"}),
}


class Watched:
    """Runs Python with an empty home, under both detectors."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work, self.scratch = (folder / name for name in ("home", "work", "tmp"))
        hooks = folder / "hooks"
        for made in (self.home, self.work, self.scratch, hooks):
            made.mkdir()
        (hooks / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        self.audit, self.trace = folder / "audit.log", folder / "strace.log"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "LOWVOX_", "ORT_"))}
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "PYTHONPATH": str(hooks),
            "AUDIT_LOG": str(self.audit),
        }

    def python(self, *arguments: str) -> str:
        """Run to a good end and return the output."""
        tracer = ["strace", "-f", "-o", str(self.trace), "-e", "trace=connect,bind,sendto,sendmsg,sendmmsg"]
        result = subprocess.run(
            [*(tracer if can_trace() else []), sys.executable, *arguments],
            env=self.environment,
            cwd=self.work,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def heard(self) -> list[str]:
        """Return what the audit hook noticed, after showing that it was there."""
        first, *rest = self.audit.read_text(encoding="utf-8").splitlines()
        assert first == "watching"
        return [line for line in rest if line != "watching"]

    def traced(self) -> list[str]:
        """Return the system calls that name an internet address."""
        return [line for line in self.trace.read_text(encoding="utf-8").splitlines() if "AF_INET" in line]


def can_trace() -> bool:
    """Whether strace is installed and allowed (containers may forbid it)."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on this machine that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("name", JOBS)
def test_nothing_is_written_elsewhere_and_nothing_connects(name: str, watched: Watched) -> None:
    job = JOBS[name]
    if job.engine and not available(job.engine):
        pytest.skip(f"needs the engine {job.engine}, whose extra is not installed")
    watched.python(*job.arguments)
    assert watched.heard() == []
    if can_trace():
        assert watched.traced() == []
    assert {path.name for path in watched.work.iterdir()} <= job.leaves
    assert list(watched.scratch.iterdir()) == []
    own = [watched.home / folder / "lowvox" for folder in OWN[sys.platform]]
    strays = [path for path in watched.home.rglob("*") if not any(related(path, folder) for folder in own)]
    assert strays == []


def related(path: Path, folder: Path) -> bool:
    """Whether a path is inside a folder, or a folder on the way to it."""
    return path.is_relative_to(folder) or (path.is_dir() and folder.is_relative_to(path))


def test_the_audit_hook_notices_a_connection(watched: Watched, listener: int) -> None:
    watched.python("-c", f"import socket; socket.create_connection(('127.0.0.1', {listener})).close()")
    assert [line.split()[0] for line in watched.heard()] == ["socket.getaddrinfo", "socket.connect"]


def test_the_audit_hook_reaches_the_processes_of_lowvox(watched: Watched) -> None:
    watched.python("-c", WORKER)
    assert watched.audit.read_text(encoding="utf-8").splitlines() == ["watching", "watching"]


def test_strace_notices_a_connection(watched: Watched, listener: int) -> None:
    if not can_trace():
        pytest.skip("strace is not installed here, or may not trace; the audit hook still watches")
    watched.python("-c", f"import socket; socket.create_connection(('127.0.0.1', {listener})).close()")
    assert "127.0.0.1" in watched.traced()[0]


def test_telemetry_is_off_in_every_process_that_imports_lowvox(watched: Watched) -> None:
    code = "import lowvox, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert watched.python("-c", code).strip() == "1"


# module -> the only place in the package that may import it.
ONLY_HERE = {
    "onnxruntime": "onnx/__init__.py",
    "torch": "shrink/",
    "urllib.request": "models/download.py",
    "http": "models/download.py",
    "socket": "models/download.py",
    "ssl": "models/download.py",
    "requests": "models/download.py",
}


def imported(file: Path) -> set[str]:
    """Return every module that a file names in an import, wherever in the file it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names |= {module, *(f"{module}.{alias.name}" for alias in aliases)}
            case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(module)), *_]):
                names.add(module)
    return names


@pytest.mark.parametrize("module", ONLY_HERE)
def test_who_may_import_what(module: str) -> None:
    importers = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if any(name == module or name.startswith(module + ".") for name in imported(file))
    ]
    assert [name for name in importers if not name.startswith(ONLY_HERE[module])] == []


def test_the_scan_sees_imports_of_every_kind() -> None:
    assert "onnxruntime" in imported(SOURCE / "onnx" / "__init__.py")
    assert {"socket", "os", "lowvox.engines.available"} <= imported(Path(__file__))
