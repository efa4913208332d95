"""Errors of the disk become one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DamagedError, OutputError
from lowvox.models.disk import appearing, room, writing

if TYPE_CHECKING:
    from pathlib import Path


def test_room(tmp_path: Path) -> None:
    room(tmp_path, 0)
    with pytest.raises(OutputError, match="LOWVOX_HOME"):
        room(tmp_path, 1 << 60)


def test_writing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Is a directory"), writing(tmp_path):
        tmp_path.write_text("")
    with pytest.raises(DamagedError), writing(tmp_path):
        raise DamagedError("as it is")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    with pytest.raises(DamagedError), appearing(folder) as beside:
        (beside / "half").touch()
        raise DamagedError("as it is")
    assert list(tmp_path.rglob("*")) == [folder]
    with appearing(folder) as beside:
        (beside / "file").touch()
        assert not (folder / "file").exists()
    assert list(tmp_path.rglob("*")) == [folder, folder / "file"]
    with pytest.raises(OutputError), appearing(folder):
        pass
