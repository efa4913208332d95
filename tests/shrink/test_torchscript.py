"""What is no TorchScript file is named before PyTorch sees it; no test here needs PyTorch."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DamagedError, NotFoundError
from lowvox.shrink.export import torchscript

if TYPE_CHECKING:
    from pathlib import Path


def archive(**files: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as opened:
        for name, content in files.items():
            opened.writestr(name.replace("_in_", "/"), content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not even a zip archive"),
        (b"\x80\x02}q\x00.", "not even a zip archive"),
        (archive(model_in_constants=b"x" * 999)[:500], "is cut: its end is missing"),
        (archive(readme=b"hello"), "holds no TorchScript: it may be weights alone"),
    ],
)
def test_what_is_no_torchscript(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "v2_4lang_q.pt"
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=rf"v2_4lang_q\.pt .*{says}"):
        torchscript.modules(file)


def test_what_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "x.pt"):
        with pytest.raises(NotFoundError, match="There is no file"):
            torchscript.modules(path)


def test_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchscript, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(
        NotFoundError, match=r"needs more than is installed \(torch\): run `.* -m pip install 'lowvox\[shrink\]'`"
    ):
        torchscript.require()
    monkeypatch.setattr(torchscript, "find_spec", lambda _: None)
    with pytest.raises(NotFoundError, match="torch and onnx"):
        torchscript.require()
    monkeypatch.setattr(torchscript, "find_spec", lambda _: object())
    torchscript.require()


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = "import sys; import lowvox.shrink.silero_te.convert; sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
