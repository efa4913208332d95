"""The dictionary on disk finds what a plain dict finds, whatever the file is like."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lowvox.engines import sorted_words
from lowvox.engines.vosk_tts.dictionary import Dictionary
from lowvox.errors import DamagedError, NotFoundError, OutputError
from lowvox.memory import meter

WORD = st.text("аяЁb-'\u0301中\U0001f600", min_size=1, max_size=4)
PHONEMES = st.lists(st.sampled_from(["a0", "bj", "sch", "中"]), min_size=1, max_size=3)
LINE = st.builds(
    lambda word, likely, phonemes, gap, end: gap.join([word, likely, " ".join(phonemes)]).encode() + end,
    WORD,
    st.sampled_from(["1.0", "0.5", "0.25", "1e-3", "inf", "2", "0.5"]),
    PHONEMES,
    st.sampled_from([" ", "\t", "  ", "\u00a0"]),
    st.sampled_from([b"\n", b"\r\n", b" \n"]),
)
BROKEN = st.sampled_from(
    [
        b"\n",
        b"  \r\n",
        b"word\n",
        b"word 1.0\n",
        b"word likely a0\n",
        b"word nan a0\n",
        b"word 0 a0\n",
        b"word -1 a0\n",
        b"w\xff\xfe 1.0 a0\n",
        b"\0\0\0\n",
    ]
)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A few lines are several chunks."""
    monkeypatch.setattr(sorted_words, "_CHUNK", 99)


def opened(folder: Path, text: bytes) -> Dictionary:
    path = folder / "dictionary"
    path.write_bytes(text)
    return Dictionary(path)


def plain(text: bytes) -> tuple[dict[str, list[str]], int]:
    """What a dict would hold, and how many lines would be left out."""
    found: dict[str, tuple[float, list[str]]] = {}
    skipped = 0
    for line in text.split(b"\n"):
        try:
            word, likely, *phonemes = line.decode().split()
            number = float(likely)
        except ValueError:
            skipped += bool(line.strip())
            continue
        if not phonemes or math.isnan(number) or number <= 0:
            skipped += 1
        elif number > found.get(word, (0.0, []))[0]:
            found[word] = (number, phonemes)
    return {word: phonemes for word, (_, phonemes) in found.items()}, skipped


@given(st.lists(LINE | BROKEN, max_size=25).map(b"".join), st.lists(WORD), st.integers(0, 9))
@example("б 1 b\nа 1 a0\nб 2 bj\na 1 a1\n".encode(), ["аб"], 0)
def test_it_finds_what_a_dict_finds(text: bytes, others: list[str], cut: int) -> None:
    text = text[: len(text) - cut]  # the last line may be cut anywhere, within a letter too
    expected, skipped = plain(text)
    # Times of files are too coarse to tell apart those that are written one after the other.
    with TemporaryDirectory() as folder:
        if text and not expected:
            with pytest.raises(DamagedError, match="not one word"):
                opened(Path(folder), text)
            return
        found = opened(Path(folder), text)
        assert found.skipped == skipped
        for word in {*expected, *others}:
            assert found.phonemes(word) == expected.get(word)
        found.close()


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Dictionary]:
    found = opened(tmp_path, "мир 1.0 mj i1 r\nзамок 0.4 z a0 m o1 k\nзамок 0.6 z a1 m o0 k\n".encode())
    yield found
    found.close()
    found.close()


def test_the_likeliest_wins(some: Dictionary) -> None:
    assert some.phonemes("замок") == ["z", "a1", "m", "o0", "k"]
    assert some.phonemes("мир") == ["mj", "i1", "r"]


@pytest.mark.parametrize(
    "word", ["", " ", "\n", "\t", "зам", "замок\t", "замок\tz", "зам+ок", "\udcff", "a" * 10_000, "\0"]
)
def test_what_is_not_there(some: Dictionary, word: str) -> None:
    assert some.phonemes(word) is None


def sorted_files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "dictionaries").iterdir())


def test_it_is_sorted_once_and_again_when_it_changes(home: Path, tmp_path: Path) -> None:
    opened(tmp_path, b"a 1 one\n").close()
    (file,) = sorted_files(home)
    made = file.stat().st_mtime_ns, file.stat().st_ino
    Dictionary(tmp_path / "dictionary").close()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == made
    assert opened(tmp_path, b"a 1 two\nb 1 b\n").phonemes("a") == ["two"]
    assert sorted_files(home) == [file]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dictionary", "home"]


@pytest.mark.parametrize("damage", [b"", b"short", "cut", "another version"])
def test_a_damaged_sorted_file_is_made_again(home: Path, tmp_path: Path, damage: bytes | str) -> None:
    opened(tmp_path, b"a 1 one\nb 1 two\n").close()
    (file,) = sorted_files(home)
    data = file.read_bytes()
    changes = {"cut": data[:-1], "another version": data.replace(b"\x01", b"\x07", 1)}
    file.write_bytes(changes[damage] if isinstance(damage, str) else damage)
    assert Dictionary(tmp_path / "dictionary").phonemes("b") == ["two"]


def test_two_dictionaries_do_not_share(home: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        opened(tmp_path / name, f"a 1 {name}\n".encode()).close()
    assert [Dictionary(tmp_path / name / "dictionary").phonemes("a") for name in ("one", "two")] == [["one"], ["two"]]


def test_no_file_and_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="cannot be read"):
        Dictionary(tmp_path / "none")
    (tmp_path / "full").write_text("")
    monkeypatch.setenv("LOWVOX_HOME", str(tmp_path / "full"))
    with pytest.raises(OutputError, match="could not be written"):
        opened(tmp_path, b"a 1 one\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_looking_up_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file would be 2 MB, were its pages kept, and more as a dict."""
    monkeypatch.setattr(sorted_words, "_CHUNK", 2**20)
    lines = "".join(f"слово{number:07} 1.0 s l o1 v o0 {number}\n" for number in range(50_000))
    found = opened(tmp_path, lines.encode())
    before = meter.usage(os.getpid()).rss
    for number in range(0, 50_000, 7):
        assert found.phonemes(f"слово{number:07}")
    assert meter.usage(os.getpid()).rss - before < meter.MB / 2
    found.close()
