"""`text.language`: which of five languages a text is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.text.language import NAMES, detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("what do you want for dinner", "en"),
        ("WHAT IS THE TIME", "en"),
        ("ich weiß nicht was du willst", "de"),
        ("no sé lo que quieres", "es"),
        ("я не знаю чего ты хочешь", "ru"),
        ("tôi không biết bạn muốn gì", "vi"),
        ("12 345", None),
        ("", None),
        ("🙂 ...", None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert detect(text) == language


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert detect(text) in (None, *NAMES)
