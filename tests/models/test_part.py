"""What an unfinished download remembers, and when it must start over."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

from lowvox.models.part import Part

if TYPE_CHECKING:
    from pathlib import Path


def headers(**values: str) -> Message:
    message = Message()
    for name, value in values.items():
        message[name.replace("_", "-")] = value
    return message


def test_the_strong_tag_wins(tmp_path: Path) -> None:
    part = Part(tmp_path / "x.part")
    part.begin("http://a", headers(ETag='"1"', Last_Modified="Monday"))
    part.path.write_bytes(b"some")
    assert part.validator("http://a") == '"1"'
    assert part.validator("http://b") is None


def test_a_damaged_note_starts_over(tmp_path: Path) -> None:
    part = Part(tmp_path / "x.part")
    part.path.write_bytes(b"some")
    assert part.validator("http://a") is None
    (tmp_path / "x.part.note").write_text("{")
    assert part.validator("http://a") is None


def test_forget(tmp_path: Path) -> None:
    part = Part(tmp_path / "x.part")
    assert part.forget() is False
    part.begin("http://a", headers(ETag='"1"'))
    part.path.write_bytes(b"some")
    assert part.held == 4
    assert part.forget() is True
    assert list(tmp_path.iterdir()) == []
