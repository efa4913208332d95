"""Reading text: any size, any border, and the place of a byte that is no text."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowvox.errors import DamagedError, NotFoundError
from lowvox.text.reading import given as from_command_line
from lowvox.text.reading import opened

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> str:
    with opened(str(path)) as source:
        return "".join(source.pieces())


@pytest.mark.parametrize("shift", range(4))
def test_characters_on_a_border_stay_whole(tmp_path: Path, shift: int) -> None:
    text = "x" * shift + "äü€😀" * 2000
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read(tmp_path / "a.txt") == text


def test_progress_ends_at_the_size(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 1000, encoding="utf-8")
    told: list[tuple[float, float]] = []
    with opened(str(tmp_path / "a.txt")) as source:
        for _ in source.pieces(lambda position, length: told.append((position, length))):
            assert source.size == 5000
    position, length = told[-1]
    assert position == length == 5000
    assert told == sorted(told)


def test_a_mark_at_the_beginning_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfHello\xef\xbb\xbf")
    assert read(tmp_path / "a.txt") == "Hello\ufeff"


@settings(deadline=None)
@given(st.text(max_size=900).map(str.encode), st.sampled_from([0xFF, 0xC0, 0x80]), st.integers(0, 5000))
def test_a_bad_byte_is_found_where_it_is(data: bytes, bad: int, padding: int) -> None:
    good = b"x" * padding + data
    with pytest.raises(DamagedError, match=rf"byte {len(good)} is 0x{bad:02x}; save it as UTF-8"):
        list(from_command_line((good + bytes([bad]) + b"rest").decode("utf-8", "surrogateescape")).pieces())


def test_text_that_breaks_off_within_a_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3000 + "€".encode()[:2])
    with pytest.raises(DamagedError, match="byte 3000 is 0xe2"):
        read(tmp_path / "a.txt")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        read(tmp_path / "no.txt")
    with pytest.raises(NotFoundError, match="is a folder"):
        read(tmp_path)


def test_standard_input_comes_as_it_is_typed() -> None:
    script = """if True:
        from lowvox.text.reading import opened
        with opened("-") as source:
            for piece in source.pieces():
                print(piece, source.size, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUTF8": "1"},
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        for piece in ("one", "zwölf"):
            reader.stdin.write(piece.encode())
            reader.stdin.flush()
            assert reader.stdout.readline().decode().split() == [piece, "0"]
        reader.stdin.close()
