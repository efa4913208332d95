"""The user's lexicon: what it replaces, what it leaves alone, and that a broken line is refused with its number."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import DamagedError, NotFoundError
from lowvox.text.aloud import spoken_form
from lowvox.text.aloud.lexicon import Lexicon, read


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "words.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_words_phrases_and_notes(tmp_path: Path) -> None:
    text = "\ufeff# notes\n\nGIF = jiff\nnguyen\tnwin\r\n  New York = Noo Yawk  \nC++ = see plus\nz.B. = zum Beispiel\n"
    lexicon = read(written(tmp_path, text))
    assert len(lexicon) == 5
    said = lexicon.applied("A GIF of Nguyen, New  York; NEW YORK, C++ and GIFs, z.B. gif.")
    assert said == "A jiff of nwin, Noo Yawk; NEW YORK, see plus and GIFs, zum Beispiel gif."


def test_phonemes_pass_through_reading_aloud(tmp_path: Path) -> None:
    lexicon = read(written(tmp_path, "tomato = [[ t ə m ɑː t oʊ ]]\n"))
    said = lexicon.applied("2 Tomato, [[ tomato 3 ]] tomatoes")
    assert spoken_form(said, "en") == "two [[ t ə m ɑː t oʊ ]], [[ tomato 3 ]] tomatoes"


def test_both_ways_to_write_an_accent_are_one_word(tmp_path: Path) -> None:
    lexicon = read(written(tmp_path, "cafe\u0301 = kaffay\nl’eau = low\n"))
    assert lexicon.applied("café cafe\u0301 l'eau") == "kaffay kaffay low"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("only words here", "write it like GIF = jiff"),
        ("= nothing before", "write it like GIF = jiff"),
        ("nothing =", "write it like GIF = jiff"),
        ("!!! = marks", "put letters before the ="),
        ("[[a]] = b", "put letters before the ="),
        ("word = [[ open", "do not match"),
        ("word = ]] a [[", "do not match"),
        ("word = [[ [[ a ]] ]]", "do not match"),
        ("word = [[ ]]", "put phonemes there"),
        ("word = a\x07b", "control characters"),
        (f"{'x' * 300} = y", "make it shorter"),
        (b"caf\xe9 = kaffay", "save the lexicon as UTF-8"),
    ],
)
def test_a_broken_line_is_refused_with_its_number(tmp_path: Path, line: str | bytes, reason: str) -> None:
    line = line.encode() if isinstance(line, str) else line
    with pytest.raises(DamagedError, match=f"words.txt, line 3.*{reason}"):
        read(written(tmp_path, b"# first\ngood = well\n" + line + b"\n"))


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="check the name"):
        read(tmp_path / "none.txt")
    with pytest.raises(NotFoundError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(DamagedError, match="take words out"):
        read(written(tmp_path, b"#" * 2_000_001))


def test_an_empty_lexicon_changes_nothing(tmp_path: Path) -> None:
    assert read(written(tmp_path, "")).applied("Any text, 5 of it.") == "Any text, 5 of it."


WORDS = st.from_regex(r"[a-z]{1,3}( [a-z]{1,3})?", fullmatch=True)


@given(
    st.text(max_size=80),
    st.dictionaries(WORDS, st.just("said"), max_size=4),
)
def test_only_its_words_change(text: str, entries: dict[str, str]) -> None:
    lexicon = Lexicon(entries)
    if not any(part in text.lower() for word in entries for part in word.split()):
        assert lexicon.applied(text) == text


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), data)
    try:
        read(path).applied("a b c")
    except DamagedError as error:
        assert "line" in str(error)
