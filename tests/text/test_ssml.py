"""`text.ssml`: what is said how, and the silence between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.text.ssml import passages


def read(*chunks: str) -> list[tuple[str, float, str | None, float]]:
    return [
        (" ".join("".join(found.text).split()), found.manner.rate, found.manner.language, found.silence)
        for found in passages(chunks)
    ]


def test_text_without_tags_is_one_passage() -> None:
    assert read("Is 1 < 2 & 3? ", "Yes.") == [("Is 1 < 2 & 3? Yes.", 1, None, 0)]
    assert read() == [("", 1, None, 0)]
    assert read("<spe") == [("<spe", 1, None, 0)]


def test_breaks_are_silence_before_what_follows() -> None:
    assert read('<speak>One.<break time="500ms"/>Two.<break/>Three.</speak>') == [
        ("One.", 1, None, 0),
        ("Two.", 1, None, 0.5),
        ("Three.", 1, None, 0.4),
    ]
    assert read('<speak>One.<break time="2s"/> <break strength="weak"/></speak>')[-1] == ("", 1, None, 2.2)
    assert read('<speak><break time="99s"/>a</speak>')[-1] == ("a", 1, None, 10.0)


def test_rates_multiply_and_end_with_their_tag() -> None:
    slow = '<speak>a <prosody rate="slow">b <prosody rate="50%">c</prosody> d</prosody> e</speak>'
    assert read(slow) == [
        ("a", 1, None, 0), ("b", 0.75, None, 0), ("c", 0.375, None, 0), ("d", 0.75, None, 0), ("e", 1, None, 0)
    ]  # fmt: skip
    assert [read(f'<speak><prosody rate="{rate}">a</prosody></speak>')[-1][1] for rate in ("+20%", "-20%", "1.5")] == [
        pytest.approx(1.2),
        pytest.approx(0.8),
        1.5,
    ]


def test_another_language_is_a_passage_of_its_own() -> None:
    assert read('<speak xml:lang="en">He said <lang xml:lang="de">Guten Tag</lang> twice.</speak>') == [
        ("He said", 1, None, 0),
        ("Guten Tag", 1, "de", 0),
        ("twice.", 1, None, 0),
    ]


def test_sentences_and_paragraphs_end_what_is_said() -> None:
    found = next(passages(["<speak><p>One</p><s>two</s></speak>"]))
    assert "".join(found.text).split("\n\n") == ["", "One", "", "two", ""]


def test_what_is_not_known_is_said_and_substitutes_are_taken() -> None:
    text = '<speak><emphasis>W3C</emphasis> is <sub alias="the <Web>">W3C</sub> &amp; more<mark name="x"/></speak>'
    assert read(text.replace("<Web>", "Web")) == [("W3C is the Web & more", 1, None, 0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<speak>one", "not well-formed in line 1"),
        ("<speak>a\n<b></speak>", "line 2"),
        ('<speak><break time="soon"/></speak>', "500ms"),
        ('<speak><break strength="huge"/></speak>', "x-strong"),
        ('<speak><prosody rate="0">a</prosody></speak>', "80%"),
        ("<speak>" + "<p>" * 100, "more than 64"),
        ("<speak>&lol;</speak>", "not well-formed"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read(text)


def test_entities_of_ones_own_are_refused() -> None:
    bomb = '<speak><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY a "&lol;&lol;">]>&a;</speak>'
    with pytest.raises(UsageError):
        read(bomb)


PARTS = st.sampled_from(["a b. ", "<break/>", '<prosody rate="slow">c</prosody>', "d &lt; "])


@given(st.lists(PARTS), st.integers(1, 9))
def test_how_the_text_was_cut_makes_no_difference(parts: list[str], size: int) -> None:
    text = f"<speak>{''.join(parts)}</speak>"
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    assert read(*cut) == read(text)
