"""Words by rule: what the rules say, and that nothing makes them stumble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.vosk_tts.g2p import phonemes

LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("абстр+акция", "a0 b s t r a1 k c i0 j a0"),
        ("абстракцион+истов", "a0 b s t r a0 k c i0 o0 nj i1 s t o0 v"),
        ("подъезд", "p o0 d j e0 z d"),
        ("вьюга", "vj j u0 g a0"),
        ("ёж", "j o0 zh"),
        ("моё", "m o0 j o0"),
        ("щука", "sch u0 k a0"),
        ("цех", "c e0 h"),
        ("край", "k r a0 j"),
        ("кто-я", "k t o0 j a0"),
        ("+я", "j a1"),
        ("м+", "m"),
        ("м++а", "m a1"),
        ("ать", "a0 tj"),
        ("", ""),
        ("+-ьъ#", ""),
        ("x7\u3000", "x 7"),
    ],
)
def test_rules(word: str, said: str) -> None:
    assert " ".join(phonemes(word)) == said


@given(st.text(LETTERS + "+-"))
def test_russian_letters_give_phonemes_of_the_voice(word: str) -> None:
    vowels = {f"{vowel}{stress}" for vowel in "aeiouy" for stress in "01"}
    hard = {*"bvgdzklmnprstfh"}
    known = vowels | hard | {f"{one}j" for one in hard} | {"zh", "c", "ch", "sh", "sch", "j"}
    found = phonemes(word)
    assert set(found) <= known
    assert sum(one in vowels for one in found) == sum(letter in "аяуюоёэеиы" for letter in word)
    assert sum(one.endswith("1") for one in found) <= word.count("+")


@given(st.text())
def test_anything_gives_words_without_white_space(word: str) -> None:
    assert all(one and not any(map(str.isspace, one)) for one in phonemes(word))
