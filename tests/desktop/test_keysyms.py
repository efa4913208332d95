"""Symbols and characters, and the keys of a layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.desktop.keysyms import character, layout, symbol

# The columns of two layouts: q and Q, then the Russian letters on the same key; Return; a dead accent; F1.
ROWS = {
    24: [0x71, 0x51, 0x6CA, 0x6EA],
    36: [0xFF0D, 0, 0xFF0D, 0],
    48: [0xFE51, 0xFE57, 0x6DC, 0x6FC],
    67: [0xFFBE, 0xFFBE, 0xFFBE, 0xFFBE],
    65: [0x20, 0x20, 0x20, 0x20],
}


@given(st.characters(exclude_categories=["Cc", "Cs"]))
def test_every_printable_character_has_a_symbol_and_back(given_character: str) -> None:
    assert character(symbol(given_character)) == given_character


@given(st.integers(0, 2**29))
def test_any_symbol_is_a_character_or_none(found: int) -> None:
    assert len(character(found)) <= 1


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (0x6C1, "а"),  # Cyrillic_a
        (0x6F1, "Я"),  # Cyrillic_YA
        (0x6A3, "ё"),  # Cyrillic_io
        (0x6AD, "ґ"),  # Ukrainian_ghe_with_upturn
        (0x6A8, ""),  # Cyrillic_je, which KOI8 lacks
        (0x1B1, "ą"),  # aogonek
        (0x20AC, "€"),
        (0x1000111, "đ"),
        (0xFF0D, "\n"),
        (0xFF09, "\t"),
        (0xFFE1, ""),  # Shift
        (0xFE51, ""),  # dead_acute
        (0x7F, ""),
        (0, ""),
    ],
)
def test_symbols_that_layouts_use(found: int, expected: str) -> None:
    assert character(found) == expected


def test_each_group_has_its_own_keys() -> None:
    assert layout(ROWS, 0) == {"q": (24, 0), "Q": (24, 1), "\n": (36, 0), " ": (65, 0)}
    assert layout(ROWS, 1) == {"й": (24, 0), "Й": (24, 1), "\n": (36, 0), "э": (48, 0), "Э": (48, 1), " ": (65, 0)}


def test_of_a_third_group_only_what_never_moves_is_known() -> None:
    assert layout(ROWS, 2) == {"\n": (36, 0), " ": (65, 0)}
