"""The tokenizers of Pocket TTS: SentencePiece files and `tokenizer.json`, exact, and what is refused of them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.pocket.pieces import Unigram, merged
from lowvox.engines.pocket.sentencepiece import SentencePiece
from lowvox.engines.pocket.tokenizer_json import JsonTokenizer
from lowvox.errors import DamagedError
from replicas import pocket_tokens as replica
from replicas.pocket_tokens import CONTROL, DEFINED, NORMAL, SPACE, UNKNOWN, UNUSED, Piece

KNOWN = replica.pieces()
DATA = replica.model(KNOWN)
TEXTS = st.lists(
    st.sampled_from(["a", "t", "h", "the", "ing", " ", "  ", ".", "...", "é", "日", "\n", "x", "fox", SPACE])
).map("".join)
# BPE takes the pair of the highest score, whatever stands before it.
BPE: list[Piece] = [
    ("<unk>", 0.0, UNKNOWN),
    *((text, -float(at), NORMAL) for at, text in enumerate(("ab", "bc", "abc", SPACE, "a", "b", "c"))),
]


def names(tokenizer: SentencePiece, text: str, vocabulary: list[Piece]) -> list[str]:
    return [vocabulary[at][0] for at in tokenizer.encode(text)]


def test_the_most_probable_pieces_are_found() -> None:
    tokenizer = SentencePiece(DATA)
    assert len(tokenizer) == 300
    assert names(tokenizer, "the fox", KNOWN) == [f"{SPACE}the", f"{SPACE}fox"]
    assert names(tokenizer, "  the   fox.  ", KNOWN) == [f"{SPACE}the", f"{SPACE}fox", "."]
    assert names(tokenizer, "thing...", KNOWN) == [SPACE, "th", "ing", "..."]


def test_what_is_unknown_is_spelt_or_one_for_all_of_it() -> None:
    assert names(SentencePiece(DATA), "aé", KNOWN) == [f"{SPACE}a", "<0xC3>", "<0xA9>"]
    mute = replica.pieces(60, spells=False)
    tokenizer = SentencePiece(replica.model(mute, spells=False))
    assert names(tokenizer, "a日本éa", mute) == [f"{SPACE}a", "<unk>", "a"]
    assert tokenizer.decode(tokenizer.encode("a日本a")) == "a \u2047 a"


@given(TEXTS)
def test_ids_are_the_text_again(text: str) -> None:
    tokenizer = SentencePiece(DATA)
    plain = text.replace(SPACE, "")
    assert tokenizer.decode(tokenizer.encode(plain)) == " ".join(filter(None, plain.split(" ")))


# Of "...." two cuts are as good as each other, to the last bit of the sums that either format keeps (docs/pocket.md).
@given(TEXTS.filter(lambda text: text == text.strip(" ") and SPACE not in text and "...." not in text))
def test_both_formats_give_the_same_ids(text: str) -> None:
    one, other = SentencePiece(DATA), JsonTokenizer(replica.described(KNOWN))
    assert other.encode(text) == one.encode(text)
    assert other.decode(one.encode(text)) == one.decode(one.encode(text))


@pytest.mark.skipif(find_spec("sentencepiece") is None, reason="needs the package sentencepiece: pip install it")
@given(TEXTS)
def test_ids_are_those_of_the_library(text: str) -> None:
    import sentencepiece  # type: ignore[import-not-found]

    for kind, vocabulary in ((1, KNOWN), (2, [*KNOWN, ("foxes", -5.0, DEFINED)])):
        data = replica.model(vocabulary, kind=kind)
        theirs = sentencepiece.SentencePieceProcessor(model_proto=data)
        assert SentencePiece(data).encode(text) == theirs.encode(text)
        assert SentencePiece(data).decode(theirs.encode(text)) == theirs.decode(theirs.encode(text))


def test_bpe_merges_the_best_pair_first() -> None:
    tokenizer = SentencePiece(replica.model(BPE, kind=2, spells=False))
    assert names(tokenizer, "abcbc", BPE) == [SPACE, "abc", "bc"]
    assert names(tokenizer, "cab", BPE) == [SPACE, "c", "ab"]


def test_a_piece_that_is_not_in_use_falls_apart() -> None:
    unused: list[Piece] = [(text, score, UNUSED if text == "abc" else kind) for text, score, kind in BPE]
    tokenizer = SentencePiece(replica.model(unused, kind=2, spells=False))
    assert names(tokenizer, "abc", unused) == [SPACE, "ab", "c"]


@pytest.mark.parametrize("kind", [1, 2])
def test_what_the_user_defined_stays_whole(kind: int) -> None:
    vocabulary = [*KNOWN[:299], ("fox.a", -50.0, DEFINED)]
    tokenizer = SentencePiece(replica.model(vocabulary, kind=kind))
    assert names(tokenizer, "thefox.a", vocabulary)[-1] == "fox.a"


def test_spaces_are_left_as_a_model_says() -> None:
    plain = SentencePiece(replica.model(KNOWN, told={3: 0, 4: 0}))
    assert names(plain, " the ", KNOWN) == [f"{SPACE}the", SPACE]
    assert plain.decode(plain.encode(" the ")) == " the "


def test_control_pieces_are_no_text() -> None:
    tokenizer = SentencePiece(DATA)
    assert tokenizer.decode([1, *tokenizer.encode("the"), 2]) == "the"
    assert 1 not in tokenizer.encode("<s>")
    assert JsonTokenizer(replica.described(KNOWN)).encode("<s>")[0] == 1


@given(st.integers(0, len(DATA) - 1))
def test_a_file_cut_short_is_refused_or_smaller(end: int) -> None:
    try:
        assert len(SentencePiece(DATA[:end])) <= 300
    except DamagedError as error:
        assert "export" in str(error)


@given(st.binary(max_size=60))
def test_what_is_no_tokenizer_is_refused(data: bytes) -> None:
    for kind in (SentencePiece, JsonTokenizer):
        with pytest.raises(DamagedError, match=r"tokenizer"):
            kind(data)


@pytest.mark.parametrize("data", [replica.model(KNOWN, kind=4), replica.model([("a", 0.0, NORMAL)], told={2: b"\1"})])
def test_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedError, match=r"SentencePiece model"):
        SentencePiece(data)


@pytest.mark.parametrize(
    "other",
    [
        {"normalizer": {"type": "BertNormalizer"}},
        {"pre_tokenizer": {"type": "ByteLevel"}},
        {"post_processor": {"type": "TemplateProcessing"}},
        {"decoder": {"type": "WordPiece"}},
        {"model": {"type": "WordPiece", "vocab": {}}},
        {"normalizer": {"type": "Replace", "pattern": {"Regex": "(?<!"}, "content": ""}},
    ],
)
def test_parts_that_are_not_read_are_named(other: dict[str, Any]) -> None:
    with pytest.raises(DamagedError, match=r"lowvox does not read \(.*\); export the voice with its tokenizer\.model"):
        JsonTokenizer(replica.described(KNOWN, **other))


def test_a_description_without_its_parts_is_damaged() -> None:
    told = json.loads(replica.described(KNOWN))
    del told["model"]["vocab"]
    with pytest.raises(DamagedError, match=r"tokenizer\.json is damaged"):
        JsonTokenizer(json.dumps(told).encode())


def test_bpe_of_the_other_format() -> None:
    model: dict[str, Any] = {
        "type": "BPE",
        "vocab": {text: at for at, (text, _, _) in enumerate(BPE)},
        "unk_token": "<unk>",
    }
    model |= {"merges": [["a", "b"], "b c", ["ab", "c"]], "fuse_unk": True, "byte_fallback": False}
    tokenizer = JsonTokenizer(replica.described(BPE, model=model, normalizer=None))
    assert tokenizer.encode("abcbc") == [4, 3, 2]
    assert tokenizer.encode("a日本b") == [4, 5, 0, 6]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([{"type": "NFKC"}], "fi"), ([{"type": "Strip", "strip_left": True, "strip_right": True}], "ﬁ")],
)
def test_texts_are_rewritten_as_it_says(steps: list[dict[str, Any]], expected: str) -> None:
    told = {"type": "Sequence", "normalizers": steps}
    tokenizer = JsonTokenizer(replica.described(KNOWN, normalizer=told))
    assert tokenizer.decode(tokenizer.encode(" ﬁ" if steps[0]["type"] == "Strip" else "ﬁ")) == expected


@given(st.text("ab", max_size=9))
def test_no_way_to_cut_is_better(text: str) -> None:
    scores = [-1.0, -2.5, -1.75, -2.0]
    ids = {"a": 0, "b": 1, "ab": 2, "aab": 3}

    def best(rest: str) -> float:
        ways = [scores[at] + best(rest[len(piece) :]) for piece, at in ids.items() if rest.startswith(piece)]
        return max(ways, default=0.0)

    found = Unigram(ids, scores, -2.5, "d").cut(text)
    assert "".join(piece for piece, _ in found) == text
    assert sum(scores[at] for _, at in found if at is not None) == best(text)


@given(st.text("abc", max_size=12))
def test_merging_ends_where_no_pair_is_left(text: str) -> None:
    ranks = {("a", "b"): 0.0, ("ab", "c"): 1.0, ("b", "c"): 2.0}
    found = merged(list(text), lambda left, right: ranks.get((left, right)))
    assert "".join(found) == text
    assert not {*pairwise(found)} & {*ranks}


def test_control_ids_are_special_in_both() -> None:
    assert [text for text, _, kind in KNOWN if kind == CONTROL] == ["<s>", "</s>"]
