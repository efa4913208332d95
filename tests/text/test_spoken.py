"""`text.spoken`: marks and line breaks that are said aloud."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.text.spoken import COMMANDS, carried_out, text, told
from lowvox.types import Label, Word


def heard(said: str) -> list[Word]:
    return [Word(float(at), at + 0.5, word) for at, word in enumerate(said.split())]


@pytest.mark.parametrize(
    ("language", "said", "written"),
    [
        ("en", "hello comma how are you question mark", "hello, how are you?"),
        ("en-us", "first full stop new paragraph second", "first.\n\nsecond"),
        ("en", "a dash b", "a — b"),
        ("en", "comma and so", ", and so"),
        ("en", "the full moon", "the full moon"),
        ("de", "hallo komma welt ausrufezeichen neue zeile gut", "hallo, welt!\ngut"),
        ("es", "uno punto y coma dos punto y aparte tres", "uno; dos.\n\ntres"),
        ("ru", "да точка с запятой нет точка", "да; нет."),
        ("vi", "xin chào dấu chấm hỏi xuống dòng tôi", "xin chào?\ntôi"),
        ("xx", "hello comma", "hello comma"),
    ],
)
def test_commands(language: str, said: str, written: str) -> None:
    assert text(word.word for word in carried_out(heard(said), language)) == written


def test_a_word_lasts_until_its_command_ends() -> None:
    (word,) = carried_out(heard("hello question mark"), "en")
    assert (word.start, word.end) == (0.0, 2.5)


def test_what_follows_a_spoken_mark_knows_of_it() -> None:
    found = told(["done.", "so", "line\n", "x"], [Label(","), Label(","), Label(""), Label("")])
    assert [label.mark for label in found] == [".", ",", ".", ""]


@given(st.sampled_from(sorted(COMMANDS)), st.lists(st.sampled_from(["comma", "new", "line", "punto", "y", "a"])))
def test_no_word_is_lost_that_is_no_command(language: str, said: list[str]) -> None:
    kept = " ".join(word.word for word in carried_out(heard(" ".join(said)), language))
    assert kept.count("a") >= sum(word == "a" for word in said)
