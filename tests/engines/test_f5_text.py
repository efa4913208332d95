"""What an F5 voice can read, and what it says of the rest."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.f5.text import Vocabulary
from lowvox.errors import DamagedError, UsageError
from replicas import f5

VOICE = Vocabulary(f5.vocabulary())
PINYIN = Vocabulary(b" \n,\n.\na\nb\nn\ni\nni3\nhao3\nma1\nzai4\njian4\nwo3\nmen2\nta1\nshi4\n")


def test_each_line_is_a_symbol_and_its_number() -> None:
    symbols = Vocabulary(b" \na\n.\nb\n")
    assert symbols.ids("ab. b") == [1, 3, 2, 0, 3]
    assert Vocabulary(b" \r\na\r\nb\r\n").ids("ab") == [1, 2]
    assert symbols.ids("z") == [0]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("xin chào", "xin chào"),
        (unicodedata.normalize("NFD", "xin chào"), "xin chào"),
        ("“one”; ‘two’…", "one, 'two'..."),
        ("a – b", "a - b"),
        ("a\n\tb  c ", "a b c"),
        ("fine 🙂 day", "fine day"),
        ("so\u00adft zero\u200bwidth", "soft zerowidth"),
        ("ﬁn ５", "fin 5"),
        ("ạn Ạn", "ạn ạn"),
        ("Βήτα b", "b"),
    ],
)
def test_text_in_the_symbols_of_the_voice(text: str, read: str) -> None:
    assert VOICE.readable(text) == read


@pytest.mark.parametrize("text", ["", " \n ", "🙂🙃", "...!?", "— –", "\u200b", "\ud800"])
def test_what_has_no_letters_is_nothing(text: str) -> None:
    assert VOICE.readable(text) == ""


@pytest.mark.parametrize("text", ["Привет, мир", "مرحبا", "你好", "Ω" * 1000])
def test_a_script_that_the_voice_does_not_know(text: str) -> None:
    with pytest.raises(UsageError, match=r"knows none of the letters in '.{1,41}'; choose a voice"):
        VOICE.readable(text)


def test_chinese_would_need_pinyin() -> None:
    with pytest.raises(UsageError, match="pinyin, and lowvox cannot turn '你好' into them"):
        PINYIN.readable("你好")
    assert PINYIN.readable("ban") == "ban"


@given(st.text())
def test_what_is_readable_is_known_and_stays(text: str) -> None:
    try:
        read = VOICE.readable(text)
    except UsageError:
        assert any(map(str.isalpha, text))
        return
    assert set(read) <= set(f5.SYMBOLS)
    assert VOICE.readable(read) == read
    assert [f5.SYMBOLS[number] for number in VOICE.ids(read)] == list(read)


@pytest.mark.parametrize("source", [b"", b"\n\n", b"\xff\xfe", b"ni3\nhao3\n", b" \n.\n", b"PK\x03\x04"])
def test_what_is_no_vocabulary(source: bytes) -> None:
    with pytest.raises(DamagedError, match="copy or pull it again"):
        Vocabulary(source)
