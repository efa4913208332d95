"""What is learnt of a tokenizer is what it does, and one that does something else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lowvox.engines.silero_te.tokens import Tokenizer, Vocabulary
from lowvox.errors import DamagedError
from lowvox.shrink.silero_te.rules import learnt, plain, sentences
from replicas import te_tokens
from replicas.te_tokens import Bert

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("longest", [20, 100])
@pytest.mark.parametrize("alone", ["", "-", te_tokens.STANDING_ALONE], ids=["none", "hyphen", "all"])
def test_its_rules_are_found(longest: int, alone: str) -> None:
    asked = Bert(longest=longest, alone=alone)
    text, rules = learnt(asked)
    assert (rules.begin, rules.end, rules.unknown, rules.longest) == (2, 3, 1, longest)
    assert set(rules.alone) == set(alone) - {"}"}  # which belongs to the escape
    assert set("äßёя") < set(rules.letters)
    own = Tokenizer(Vocabulary(text), rules)
    for word in ("going", "über-you", "дома", "x" * 21, "hi😀"):
        assert [2, *own.pieces(word), 3] == asked.convert_string_to_ids(te_tokens.escaped(word.replace("😀", "&")))


class Lowering(Bert):
    def convert_string_to_ids(self, text: str) -> list[int]:
        return super().convert_string_to_ids(text.lower())


class Shortest(Bert):
    def pieces(self, word: list[str]) -> list[int]:
        return [self.ids["##" + letter if at else letter] for at, letter in enumerate(word) if letter in self.ids]


class Reversed(Bert):
    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return super().convert_ids_to_tokens(ids)[::-1]


class Failing(Bert):
    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        raise RuntimeError("The following operation failed in the TorchScript interpreter.")


class Nameless(Bert):
    """Calls its unknown piece something else."""

    def __init__(self) -> None:
        super().__init__()
        self.uni_vocab[1] = "<unk>"
        self.ids = {piece: number for number, piece in enumerate(self.uni_vocab)} | {"[UNK]": 1}


class Unknowing(Nameless):
    def pieces(self, word: list[str]) -> list[int]:
        return [number for number in super().pieces(word) if number != 1]


class Crashing(Bert):
    def pieces(self, word: list[str]) -> list[int]:
        return [self.ids[letter] for letter in word]


class Bare(Bert):
    def convert_string_to_ids(self, text: str) -> list[int]:
        return super().convert_string_to_ids(text)[1:-1]


class Doubled(Bert):
    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return ["a"] * len(ids)


class Raw(Bert):
    def __init__(self) -> None:
        super().__init__()
        self.uni_vocab[-1] = "день"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Lowering, "it makes .* of '[A-Za-z]*', and lowvox"),
        (Shortest, "it makes .*, and lowvox"),
        (Reversed, "its padding has not the number 0"),
        (Failing, "does not count them from 0"),
        (Unknowing, "it has no piece that stands for an unknown word"),
        (Crashing, "it fails on "),
        (Bare, "it puts no begin and no end around 'a'"),
        (Doubled, "do not belong together"),
        (Raw, "its word piece 'день' is not escaped"),
    ],
)
def test_another_tokenizer_is_refused(asked: Callable[[], Bert], says: str) -> None:
    with pytest.raises(DamagedError, match=f"by rules that lowvox does not know: .*{says}.*It was not converted"):
        learnt(asked())


def test_the_unknown_piece_by_another_name() -> None:
    assert learnt(Nameless())[1].unknown == 1


def test_the_escape_and_what_cannot_be_undone() -> None:
    assert plain("##{1076}a{252}") == "##даü".replace("да", "дa")
    assert plain("{99999999}") == ""


def test_sentences_are_small_and_have_no_marks() -> None:
    for language in ("en", "de", "es", "ru"):
        words = sentences(language)
        assert len(words) > 10
        assert all(word.isalnum() and word == word.lower() for word in words)
