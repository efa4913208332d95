from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lowvox.errors import NotFoundError, OutputError
from lowvox.files import replacing


def test_a_file_is_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("old")
    with replacing(path) as file:
        file.write("новый")
        assert path.read_text() == "old"
    assert path.read_text(encoding="utf-8") == "новый"
    assert list(tmp_path.iterdir()) == [path]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("error", [KeyboardInterrupt, NotFoundError, ZeroDivisionError])
def test_or_not_at_all(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), replacing(tmp_path / "text.txt") as file:
        file.write("half")
        raise error
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(
            OutputError, match=r"text\.txt could not be written \(No space left on device\); nothing was left"
        ),
        replacing(tmp_path / "text.txt") as file,
    ):
        file.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no folder"), replacing(tmp_path / "no" / "text.txt"):
        pytest.fail("it was opened")


def test_a_really_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OutputError), replacing(tmp_path / "text.txt") as file:
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        file.write("x" * 100_000)
    assert not list(tmp_path.iterdir())


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(tmp_path / "text.txt")
    with replacing(tmp_path / "link.txt") as file:
        file.write("text")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "text.txt").read_text() == "text"


def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs pipes with a name")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with replacing(tmp_path / "pipe") as file:
        file.write("text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(OutputError, match="could not be written"), replacing(tmp_path):
        pytest.fail("it was opened")
