"""`lowvox pull` as a real process against a real server: killed, interrupted, out of room, and well."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.models import installed
from replicas.archives import zipped
from replicas.kaldi import build
from replicas.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A record without a published MD5, so that a stand-in can be served under its name.
NAME = "vosk-model-br-0.8"
MAIN = "from lowvox.commands import main; main()"


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[Server]:
    source = build(tmp_path / "source")
    (source / "README").write_bytes(random.Random(0).randbytes(3_000_000))
    with serving({f"{NAME}.zip": zipped(source, f"{NAME}/")}) as running:
        yield running


def pull(*arguments: str, code: str = MAIN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, "pull", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def left(home: Path) -> set[str]:
    return {path.name for folder in ("cache/downloads", "data/models") for path in (home / folder).glob("*")}


def test_by_name(server: Server, home: Path) -> None:
    done = pull(NAME, "--mirror", server.url, "--json")
    assert done.returncode == 0, done.stderr
    (found,) = installed()
    assert json.loads(done.stdout) == {"name": NAME, "path": str(found.path), "size_mb": 2.9}
    assert left(home) == {NAME}


@pytest.mark.parametrize(("how", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_ended_in_the_middle_and_resumed(server: Server, home: Path, how: signal.Signals, status: int) -> None:
    server.hold = 1_000_000
    master, terminal = pty.openpty()
    command = [sys.executable, "-c", MAIN, "pull", NAME, "--mirror", server.url]
    with subprocess.Popen(command, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while b"26%" not in shown:  # three blocks of 256 kB have come; the rest of the million waits for a fourth
            shown += os.read(master, 4096)
        process.send_signal(how)
        server.released.set()  # a signal between Python's check and its read is seen when the read returns
        assert process.wait() == status
    os.close(master)
    assert f"Pulling {NAME}".encode() in shown
    assert left(home) == {f"{NAME}.part", f"{NAME}.part.note"}
    server.hold = None
    done = pull(NAME, "--mirror", server.url)
    assert done.returncode == 0, done.stderr
    assert server.asked == [None, "bytes=786432-"]
    assert left(home) == {NAME}
    assert installed()[0].problem is None


@pytest.mark.parametrize("limit", [300_000, 2_999_999], ids=["downloading", "unpacking"])
def test_a_limit_on_file_size(server: Server, home: Path, tmp_path: Path, limit: int) -> None:
    """What a full disk does, without a disk: the system refuses to make a file longer."""
    if limit > 300_000:
        (tmp_path / "source" / "README").write_bytes(bytes(3_000_000))  # small while it is packed
        server.files[f"{NAME}.zip"] = zipped(tmp_path / "source")
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {MAIN}"
    done = pull(NAME, "--mirror", server.url, code=limited)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert left(home) == set()


def test_a_full_disk(server: Server, home: Path, tmp_path: Path) -> None:
    """The store is on a disk of one MB, in a mount namespace that ends with the process."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk (unshare -rm)")
    (tmp_path / "source" / "README").write_bytes(bytes(3_000_000))
    server.files[f"{NAME}.zip"] = zipped(tmp_path / "source")
    store = home / "data" / "models"
    store.mkdir(parents=True)
    script = f'mount -t tmpfs -o size=1m none "{store}" && "$0" -c "{MAIN}" pull {NAME} --mirror {server.url}'
    script += f'; echo "status $?"; ls -A "{store}"'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stdout == "status 1\n"
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert left(home) == set()


def test_from_disk(home: Path, tmp_path: Path) -> None:
    source = build(tmp_path / "my-model")
    done = pull(str(source), "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        "Its name does not tell its language: choose it with `-m mine`.\nInstalled mine (0 MB)"
    )
    assert pull(str(source), "-q").stderr == ""
    assert left(home) == {"mine", "my-model"}


def test_a_name_wins_over_a_file_of_that_name(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    with serving({}) as empty:
        assert "answers 404" in pull(NAME, "--mirror", empty.url).stderr
    assert pull(f"./{NAME}").returncode == 0
    assert installed()[0].languages == ("br",)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["vosk-model-br-0.9"], 4, "did you mean 'vosk-model-br-0.8'?"),
        (["./nothing"], 4, "no file or folder"),
        (["espeak"], 2, "comes with its engine"),
        ([NAME, "--name", "mine"], 2, "--name is for models from disk"),
        (["/tmp", "--mirror", "http://x"], 2, "--mirror is for models of"),
        ([NAME, "--mirror", "file:///tmp"], 2, "is no web address"),
        ([NAME, "--mirror", "http://127.0.0.1:9"], 1, "cannot be reached"),
        ([], 2, "Missing argument 'NAME|PATH'"),
    ],
)
def test_refusals(home: Path, arguments: list[str], status: int, says: str) -> None:
    done = pull(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert left(home) == set()


def test_help() -> None:
    done = pull("--help")
    assert "lowvox pull vosk-model-small-de-0.15 --mirror" in done.stdout
