"""`text.pauses`: the silence behind a sentence."""

from __future__ import annotations

from lowvox.text.pauses import behind, silence


def test_a_sentence_is_followed_by_more_silence_than_a_clause() -> None:
    assert behind("He came. ") == behind('"He came."') > behind("he came;") > behind("he came,") > behind("he came") > 0
    assert behind("") == behind("!?)x")


def test_silence_is_as_long_as_it_should_be() -> None:
    assert silence(0.5, 16000) == bytes(16000)
