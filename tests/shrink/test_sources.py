"""The graphs of a model, by whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowvox.errors import NotFoundError
from lowvox.shrink.trials.sources import graphs

pytestmark = pytest.mark.usefixtures("home")


def names(model: str) -> list[str]:
    return [path.name for path in graphs(model)]


def test_what_comes_with_lowvox() -> None:
    assert names("lowvox-te") == ["lowvox-te.onnx"]
    assert names("lowvox-te-vi") == ["lowvox-te-vi.onnx"]
    assert names("lowvox-voice") == ["decoder.onnx", "encoder.onnx", "g2p.onnx"]


def test_files_and_folders(tmp_path: Path, home: Path) -> None:
    for name in ("b.onnx", "a.ort", "config.json", "deep/c.onnx"):
        for folder in (tmp_path / "model", home / "data" / "models" / "mine"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    assert names(str(tmp_path / "model")) == names("mine") == ["a.ort", "b.onnx", "c.onnx"]
    assert names(str(tmp_path / "model" / "b.onnx")) == ["b.onnx"]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("silero-vad", "silero-vad has no graphs"),
        ("nosuch", "no model 'nosuch'"),
        ("nosuch.onnx", r"no file nosuch\.onnx"),
        ("vosk-model-small-de-0.15", "not installed; run `lowvox pull"),
    ],
)
def test_what_is_not_there(model: str, says: str) -> None:
    with pytest.raises(NotFoundError, match=says):
        graphs(model)


def test_a_folder_without_graphs(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no graphs"):
        graphs(str(tmp_path))
