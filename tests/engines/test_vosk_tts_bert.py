"""Words to vectors: the cut of the tokenizer, and which vectors are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.vits import APART
from lowvox.engines.vosk_tts.bert import WIDTH, Bert, Vocabulary
from lowvox.errors import DamagedError, NotFoundError
from lowvox.types import Profile
from replicas import vosk_tts

WORDS = ("привет", "за", "##мок", "замо")


def vocabulary(*words: str, without: str = "") -> Vocabulary:
    pieces = [piece for piece in vosk_tts.vocabulary(*words) if not set(piece) & set(without)]
    return Vocabulary("\n".join(pieces).encode())


def cut(text: str, known: Vocabulary | None = None) -> list[str]:
    return [piece.text for piece in (known or vocabulary(*WORDS)).pieces(text)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("привет, мир!", "привет , м ##и ##р !"),
        ("ЗАМОК", "замо ##к"),
        ("замоки", "замо ##к ##и"),
        ("за-мок", "за - м ##о ##к"),
        ("ёж йод", "ё ##ж й ##о ##д"),
        ("hello мир", "[UNK] м ##и ##р"),
        ("миrр", "[UNK]"),
        ("«да»", "[UNK] д ##а [UNK]"),
        ("а中б", "а [UNK] б"),
        ("а\u200bб\u00a0в\tг\x00", "а ##б в г"),
        ("я" * 101, "[UNK]"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_the_cut(text: str, pieces: str) -> None:
    assert cut(text) == pieces.split()


def test_accents_go_where_the_vocabulary_has_none() -> None:
    assert " ".join(cut("Ёжик мой", vocabulary(without="йё"))) == "е ##ж ##и ##к м ##о ##и"


@given(st.lists(st.text("абв#", min_size=1, max_size=3)), st.text("абв#", min_size=1, max_size=3))
def test_a_piece_has_the_number_of_its_last_line(words: list[str], other: str) -> None:
    pieces = vosk_tts.vocabulary(*words)
    known = Vocabulary("\n".join(pieces).encode())
    numbers = {piece: number for number, piece in enumerate(pieces)}
    for piece in {*words, other}:
        assert known.get(piece) == numbers.get(piece)


@given(st.text())
def test_any_text_is_cut(text: str) -> None:
    known = vocabulary(*WORDS)
    assert all(known.get(piece.text) == piece.number for piece in known.pieces(text))


@pytest.mark.parametrize("text", [b"", b"\n", b"[CLS]\n[SEP]\n", b"\xff\xfe\n", b"[cls]\n[sep]\n[unk]\n"])
def test_what_is_no_vocabulary(text: bytes) -> None:
    with pytest.raises(DamagedError, match=r"has no \["):
        Vocabulary(text)


# The network.


def loaded(folder: Path, profile: str = "default", width: int = WIDTH) -> Bert:
    vosk_tts.voice(folder, "bert")
    if width != WIDTH:
        (folder / "bert" / "model.onnx").write_bytes(vosk_tts.bert(200, width=width))
    return Bert(folder / "bert" / "model.onnx", folder / "bert" / "vocab.txt", Profile(profile))


def test_a_vector_for_each_word_and_mark(tmp_path: Path) -> None:
    bert = loaded(tmp_path)
    with_marks, without = bert.vectors("замок, мир!", marks=True), bert.vectors("замок, мир!", marks=False)
    assert with_marks.shape == (6, WIDTH)
    assert np.array_equal(without, with_marks[[0, 1, 3, 5]])
    assert len({row.tobytes() for row in with_marks}) == 6
    bert.close()
    bert.close()


def test_stress_and_pauses_mean_nothing(tmp_path: Path) -> None:
    bert = loaded(tmp_path)
    assert np.array_equal(bert.vectors("за+мок_", marks=True), bert.vectors("замок", marks=True))
    assert bert.vectors("", marks=True).shape == (2, WIDTH)


def test_loaded_apart_it_says_the_same(tmp_path: Path) -> None:
    kept, apart = loaded(tmp_path), loaded(tmp_path, APART)
    assert np.array_equal(kept.vectors("привет мир", marks=True), apart.vectors("привет мир", marks=True))
    assert apart._session is None


@pytest.mark.parametrize("words", [509, 510, 511, 1100])
def test_more_words_than_it_reads_at_once(tmp_path: Path, words: int) -> None:
    found = loaded(tmp_path).vectors("а " * words, marks=False)
    assert found.shape == (words + 2, WIDTH)
    assert np.isfinite(found).all()


def test_another_network_or_none(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="not the BERT"):
        loaded(tmp_path, width=100).vectors("мир", marks=True)
    (tmp_path / "bert" / "vocab.txt").unlink()
    with pytest.raises(NotFoundError, match=r"vocab\.txt"):
        Bert(tmp_path / "bert" / "model.onnx", tmp_path / "bert" / "vocab.txt", Profile())
