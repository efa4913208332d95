"""Sentences to numbers, in one stream and in five; written as symbols, so that a person can check them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.vosk_tts.symbols import Symbols, multi, plain, single

MARKS = ["_", "^", "$", " ", "!", "-", "(", ")", ",", ".", "...", ":", ";", "?"]
SOUNDS = [f"{sound}{place}" for sound in "abc" for place in ("", "_S", "_B", "_I", "_E")]
IDS = {symbol: (number,) for number, symbol in enumerate([*MARKS, *SOUNDS])}
NAMES = {number: symbol for symbol, (number,) in IDS.items()}
TEXT = st.text('ab+x -—_,.?!;:"()«…\n\u00a0é', max_size=30) | st.text(max_size=20)


def read(symbols: Symbols, stream: int = 0) -> str:
    return "|".join(NAMES[ids[stream]] for ids in symbols.ids)


# One stream.


def test_blanks_stand_between_all_symbols() -> None:
    found = single("ab c!", IDS, list)
    assert read(found) == "^|_|a|_|b|_| |_|c|_|!|_|$"
    assert found.words == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, -1, -1]


def test_without_blanks() -> None:
    found = single("ab, c - c", IDS, list, blanks=False)
    assert read(found) == "^|a|b|,| |c| |-| |c|$"
    # A gap is told what the next word means, and a mark is a word of its own.
    assert found.words == [0, 1, 1, 2, 3, 3, 4, 4, 5, 5, -1]
    assert set(found.longer) == {0.0}


def test_a_symbol_may_have_several_numbers() -> None:
    found = single("ab", {**IDS, "a": (70, 71)}, list)
    assert found.ids == [(1,), (0,), (70,), (71,), (0,), IDS["b"], (0,), (2,)]
    assert found.words == [0, 1, 1, 1, 1, 1, -1, -1]


def test_what_has_no_number_is_left_out() -> None:
    assert read(single('a"x"b', IDS, list, blanks=False)) == "^|a|b|$"
    assert single('"x" - 🙂!', IDS, list) == Symbols()


# Five streams.


def test_phonemes_gaps_and_the_end() -> None:
    found = multi("ab c", IDS, list, 1)
    assert read(found) == "^|a|b| |c| |$"
    assert found.words == [0, 1, 1, 2, 2, 3, 3]


def test_places_in_a_word() -> None:
    assert read(multi("a ab abc", IDS, list, 2)) == "^|a_S| |a_B|b_E| |a_B|b_I|c_E| |$"


def test_marks_stand_at_the_gap_and_are_seen_coming() -> None:
    found = multi("a, b - c... a!", IDS, list, 1)
    assert read(found) == "^|a| |b| |c| |a| |$"
    assert read(found, 1) == "_|_|,|_|-|_|...|_|!|_"
    assert read(found, 3) == ",|,|,|-|-|...|...|!|!| "
    assert read(found, 4) == "-|-|-|-|-|...|...|!|!| "


def test_the_first_mark_counts_and_the_gravest_end() -> None:
    found = multi("a,?!... b", IDS, list, 1)
    assert read(found, 1) == "_|_|,|_|_|_"
    assert read(found, 4).startswith("...|...|...| ")


def test_marks_before_a_word_without_a_gap_are_lost() -> None:
    assert read(multi("a (b", IDS, list, 1), 1) == "_|_|_|_|_|_"


def test_quotes_are_told_apart() -> None:
    found = multi('a "b c" a', IDS, list, 1)
    assert [ids[2] for ids in found.ids] == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]


def test_a_written_pause() -> None:
    found = multi("a_ b", IDS, list, 3)
    assert read(found) == "^|a_S| |b_S| |$"
    assert found.longer == [0, 0, 20, 0, 0, 0]
    assert read(found, 3) == "_|_|_| | | "


def test_five_streams_leave_out_what_has_no_number() -> None:
    few = {symbol: ids for symbol, ids in IDS.items() if symbol not in ("!", "_")}
    found = multi("axb! a_ b", few, list, 1)
    assert read(found) == "^|a|b| |a| |b| |$"
    assert multi("🙂... -", IDS, list, 1) == Symbols()


# Both.


def test_marks_of_print_are_those_of_the_voice() -> None:
    assert plain(" «А» — Б\u00a0В…\n„г“ ") == '"а" - б в... "г"'


@given(TEXT, st.sampled_from([0, 1, 2, 3]), st.sets(st.sampled_from([*MARKS[3:], *SOUNDS])), st.booleans())
def test_whatever_is_said(text: str, version: int, lacking: set[str], blanks: bool) -> None:
    ids = {symbol: one for symbol, one in IDS.items() if symbol not in lacking}
    text = plain(text)
    found = multi(text, ids, list, version) if version else single(text, ids, list, blanks=blanks)
    assert len(found.ids) == len(found.words) == len(found.longer)
    if not found.ids:
        return
    assert {len(one) for one in found.ids} == {5 if version else 1}
    assert (found.ids[0][0], found.ids[-1][0]) == (1, 2)
    assert found.words[0] == 0
    inner = found.words[:-1] if found.words[-1] >= 0 else [word for word in found.words if word >= 0]
    assert inner == sorted(inner)


@pytest.mark.parametrize("version", [0, 2])
def test_a_hundred_thousand_letters_without_a_space(version: int) -> None:
    text = "a" * 100_000
    found = multi(text, IDS, list, version) if version else single(text, IDS, list)
    assert len(found.ids) >= 100_000
