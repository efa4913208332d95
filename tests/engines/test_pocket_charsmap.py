"""The table by which SentencePiece rewrites characters: read as it was compiled, and refused where it was not."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.pocket.charsmap import Charsmap
from lowvox.engines.pocket.sentencepiece import SentencePiece
from lowvox.engines.pocket.tokenizer_json import JsonTokenizer
from lowvox.errors import DamagedError
from replicas import pocket_tokens as replica

RULES = {"ﬁ": "fi", "\t": " ", "é": "e", "e\u0301": "e", "ab": "x", "abc": "y"}


def compiled(rules: dict[str, str]) -> bytes:
    """Compile rules as SentencePiece does: a double array, then the texts that it leads to."""
    texts = b""
    values = {}
    for key, value in rules.items():
        values[key.encode()] = len(texts)
        texts += value.encode() + b"\0"
    units, taken = {0: 0}, {0}
    bases: set[int] = set()

    def place(node: int, prefix: bytes) -> None:
        labels = sorted({key[len(prefix)] for key in values if key.startswith(prefix) and len(key) > len(prefix)})
        leaf = prefix in values
        base = 1
        while base in bases or any(base ^ label in taken for label in [*labels, *([0] if leaf else [])]):
            base += 1
        bases.add(base)
        taken.update([base ^ label for label in labels] + [base] * leaf)
        units[node] = units.get(node, 0) | (node ^ base) << 10 | (256 if leaf else 0)
        if leaf:
            units[base] = 0x80000000 | values[prefix]
        for label in labels:
            units[base ^ label] = label
            place(base ^ label, prefix + bytes([label]))

    place(0, b"")
    array = [units.get(at, 0x800000FF) for at in range(max(units) + 256)]
    return struct.pack(f"<I{len(array)}I", 4 * len(array), *array) + texts


DATA = compiled(RULES)


def test_the_longest_rule_is_taken() -> None:
    table = Charsmap(DATA)
    assert table.longest(b"abcd", 0) == (b"y", 3)
    assert table.longest(b"zabd", 1) == (b"x", 2)
    assert table.longest(b"a", 0) is None
    assert table.longest("ﬁ".encode(), 0) == (b"fi", 3)


def test_characters_are_rewritten_with_their_accents() -> None:
    table = Charsmap(DATA)
    assert table.rewritten("e\u0301té\tﬁn") == "ete fin"
    assert table.rewritten("ab") == "ab"  # each is a character of its own


def test_both_tokenizers_rewrite() -> None:
    ids = SentencePiece(replica.model(replica.pieces())).encode("fix the")
    assert SentencePiece(replica.model(replica.pieces(), told={2: DATA})).encode("ﬁx\tthe") == ids
    told = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(DATA).decode()}
    assert JsonTokenizer(replica.described(replica.pieces(), normalizer=told)).encode("ﬁx\tthe") == ids


@given(st.binary(max_size=40))
def test_what_is_no_table_is_refused_or_changes_nothing_it_should_not(blob: bytes) -> None:
    try:
        table = Charsmap(blob)
    except DamagedError:
        return
    assert isinstance(table.rewritten("the"), str)


@pytest.mark.parametrize("blob", [b"", b"\1\0\0", b"\xff\xff\xff\x7f1234", DATA[:100]])
def test_a_damaged_table_is_refused(blob: bytes) -> None:
    with pytest.raises(DamagedError, match=r"table of characters"):
        Charsmap(blob)


@given(st.text(st.sampled_from("abcé\tﬁe\u0301z"), max_size=9), st.integers(4, len(DATA) - 1), st.integers(0, 255))
def test_a_byte_that_is_wrong_does_no_harm(text: str, at: int, byte: int) -> None:
    table = Charsmap(DATA[:at] + bytes([byte]) + DATA[at + 1 :])
    assert isinstance(table.rewritten(text), str)
