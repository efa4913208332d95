"""`text.live`: partials that stay calm, finals that are what the whole text would be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.text.live import CONTEXT, TAIL, LivePunctuator
from lowvox.text.restoration import punctuate
from replicas.labels import Foretold, Neighbours

words = st.lists(st.text("abcxyz", min_size=1, max_size=6), min_size=1, max_size=60)


@given(words)
def test_no_word_of_a_partial_is_ever_changed(said: list[str]) -> None:
    live = LivePunctuator(Neighbours(), "en")
    for count in range(1, len(said) + 1):
        found = live.partial(" ".join(said[:count])).split()
        assert [word.rstrip(".,?").lower() for word in found] == said[:count]


@given(words)
def test_only_the_tail_of_a_partial_is_revised(said: list[str]) -> None:
    live = LivePunctuator(Neighbours(), "en")
    before: list[str] = []
    for count in range(1, len(said) + 1):
        found = live.partial(" ".join(said[:count])).split()
        settled = max(0, count - TAIL)
        assert found[:settled] == before[:settled]
        before = found


@given(words, words)
def test_words_that_the_recogniser_revises_are_taken_as_they_come(said: list[str], instead: list[str]) -> None:
    live = LivePunctuator(Neighbours(), "en")
    live.partial(" ".join(said))
    found = live.partial(" ".join(instead)).split()
    assert [word.rstrip(".,?").lower() for word in found] == instead


@given(st.lists(words, min_size=1, max_size=5))
def test_finals_are_what_the_whole_text_would_be(utterances: list[list[str]]) -> None:
    """Up to what could not be known: what follows an utterance reaches three words into it, and one further."""
    live = LivePunctuator(Neighbours(window=400), "en")
    said: list[str] = []
    for number, utterance in enumerate(utterances):
        live.partial(" ".join(utterance[:3]))
        found = live.final(utterance, ends=number == len(utterances) - 1)
        whole = punctuate(" ".join([*said, *utterance]), Neighbours(window=10_000), "en").split()[len(said) :]
        assert found[1:-3] == whole[1:-3]
        said += utterance


def test_the_last_word_has_no_mark_until_the_next_one_tells() -> None:
    live = LivePunctuator(Foretold({"done": (".", 0.99)}), "en")
    assert live.partial("i am done") == "i am done"
    assert live.partial("i am done so") == "i am done. So"


def test_a_doubtful_mark_waits_for_words_behind_it() -> None:
    live = LivePunctuator(Foretold({"well": (",", 0.55)}), "en")
    assert live.partial("well i") == "well i"
    assert live.partial("well i do know") == "well, i do know"


def test_a_mark_that_is_shown_needs_a_better_reason_to_go() -> None:
    stream = Foretold({"well": (",", 0.9)})
    live = LivePunctuator(stream, "en")
    assert live.partial("well i do know") == "well, i do know"
    stream.marks["well"] = (".", 0.6)
    assert live.partial("well i do know it") == "well, i do know it"
    stream.marks["well"] = (".", 0.9)
    assert live.partial("well i do know it now") == "well. I do know it now"


def test_a_final_begins_anew() -> None:
    stream = Foretold({"well": (",", 0.9)})
    live = LivePunctuator(stream, "en")
    live.partial("well i do know")
    assert live.final(["done"]) == ["done"]
    assert live.final([]) == []
    assert live.partial("") == ""
    assert live.partial("well i do know") == "well, i do know"


def test_a_new_sentence_after_a_pause_has_a_capital() -> None:
    live = LivePunctuator(Neighbours(), "en")
    assert live.final(["so", "it", "is"], [0.0, 0.0, 1.0])[-1] == "is."
    assert live.final(["so"])[0].startswith("So")


def test_what_is_remembered_is_bounded() -> None:
    stream = Neighbours(window=CONTEXT + 10)
    live = LivePunctuator(stream, "en")
    for _ in range(30):
        live.final(["word"] * 10, [0.0] * 10)
    assert max(stream.asked) <= CONTEXT + 10
