"""`onnx.mapping`: pages of a file that are given back, and those that are not."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from lowvox.onnx import mapping

SIZE = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are given back on Linux alone")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights of a voice.ort"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    return path


def mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def resident(path: Path) -> int:
    """Return how many KB of a file are in this process."""
    lines = iter(Path("/proc/self/smaps").read_text("utf-8").splitlines())
    for line in lines:
        if line.endswith(str(path)):
            return next(int(told.split()[1]) for told in lines if told.startswith("Rss:"))
    raise AssertionError("not mapped")


def test_what_was_read_is_given_back_and_read_again(file: Path) -> None:
    with mapped(file) as pages:
        before = bytes(pages)
        assert resident(file) == SIZE // 1024
        assert mapping.give_back(file) == SIZE
        assert resident(file) == 0
        assert bytes(pages) == before


def test_what_somebody_wrote_into_stays(file: Path) -> None:
    with mapped(file) as pages:
        pages[5000] = 77
        assert mapping.give_back(file) == 0
        assert pages[5000] == 77


def test_other_files_are_let_alone(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(bytes(SIZE))
    with mapped(file) as pages, mapped(other) as others:
        bytes(pages), bytes(others)
        assert mapping.give_back(other, tmp_path / "nothing") == SIZE
        assert (resident(file), resident(other)) == (SIZE // 1024, 0)


def test_the_kernels_list() -> None:
    told = """\
00400000-00452000 r-xp 00000000 08:02 173521                             /usr/bin/a name
Size:                328 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
7fff00000000-7fff00002000 rw-p 00000000 00:00 0
Anonymous:             8 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""
    assert mapping.read(told.splitlines(keepends=True)) == [
        mapping.Mapping(0x400000, 0x452000, "/usr/bin/a name"),
        mapping.Mapping(0x7FFF00000000, 0x7FFF00002000, "", 8),
        mapping.Mapping(0xFFFFFFFFFF600000, 0xFFFFFFFFFF601000, "[vsyscall]"),
    ]


def test_where_the_system_hides_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with mapped(file) as pages:
        bytes(pages)
        assert mapping.give_back(file) == 0
