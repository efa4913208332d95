"""The silero-te engine on a stand-in that says what it is told: word pieces, their limits, what its classes mean."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.silero_te.engine import SileroTe, SileroTeStream, framed, opened, parts_of, small, stitched
from lowvox.engines.silero_te.layout import FACTS, MODEL, TOKENS, layout
from lowvox.engines.silero_te.tokens import Tokenizer, Vocabulary, listed
from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.text.marks import write
from lowvox.types import Label, Model, Profile
from replicas import te_folder, te_tokens
from replicas.te_folder import ASK, CAPITAL, COMMA, DASH, HYPHEN, RULES, SHOUT, STOP, UPPER

if TYPE_CHECKING:
    from pathlib import Path

IDS = {piece: number for number, piece in enumerate(te_tokens.vocabulary())}
MARKS = {"end": STOP, "home": STOP, "you": ASK, "hi": SHOUT, "hello": COMMA, "new": HYPHEN, "day": DASH, "##ing": STOP}
CASES = {"john": CAPITAL, "usa": UPPER, "##s": UPPER, "london": CAPITAL}
HOSTILE = ["🙂", "{", "}", "{1080}", "\x00", "\ud800", "https://a.org/b?c=d&e#f", "مرحبا", "x" * 2000, "", " ", "&"]
words = st.one_of(st.text(), st.sampled_from([*MARKS, *CASES, "going", *HOSTILE]), st.text(min_size=100))


def model(path: Path | None) -> Model:
    return Model("replica", "silero-te", "punctuator", ("en", "de", "es", "ru"), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return te_folder.build(tmp_path_factory.mktemp("te"), MARKS, CASES)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network, but it takes 24 pieces at once."""
    return te_folder.build(tmp_path_factory.mktemp("te"), MARKS, CASES, most=24)


def stream(folder: Path, language: str = "en") -> SileroTeStream:
    return SileroTe().load(model(folder), Profile()).open(language=language)


def said(text: str, folder: Path, language: str = "en") -> str:
    (labels,) = stream(folder, language).label([text.split()])
    return " ".join(write(word, label, language) for word, label in zip(text.split(), labels, strict=True))


# What the classes mean.


def test_marks_and_capitals(folder: Path) -> None:
    assert said("hello john are you in the usa the day we go home", folder) == (
        "hello, John are you? In the USA the day — we go home."
    )


def test_a_word_of_several_pieces_has_the_mark_of_its_last_and_the_case_of_its_first(folder: Path) -> None:
    """ "going" is "go" and "##ing", "johns" is "john" and "##s", which alone would be large."""
    assert said("going johns homely", folder) == "going. Johns homely"


def test_a_hyphen_would_make_one_word_of_two_and_is_no_mark(folder: Path) -> None:
    (labels,) = stream(folder).label([["new", "york"]])
    assert [label.mark for label in labels] == ["", ""]
    assert labels[0].sure > 0.9  # of writing nothing: a hyphen and no mark together


def test_a_word_behind_the_end_of_a_sentence_begins_large_and_the_first_as_the_network_says(folder: Path) -> None:
    assert said("we go home and you usa", folder) == "we go home. And you? USA"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("hello are you", "¿hello, are you?"),
        ("we go home where are you and hi john", "we go home. ¿Where are you? ¡And hi! John"),
        ("hi", "¡hi!"),
        ("home", "home."),
    ],
)
def test_spanish_opens_its_questions_where_the_sentence_begins(folder: Path, text: str, written: str) -> None:
    assert said(text, folder, "es") == written
    assert "¿" not in said(text, folder, "de")


def test_a_question_that_began_before_the_text_is_not_opened_in_it(folder: Path) -> None:
    asked = stream(folder, "es").label([["are", "you", "hi"]], begins=False)
    assert [label.opens for label in asked[0]] == ["", "", "¡"]
    assert opened([Label(".")], begins=False) == [Label(".")]


def test_how_sure_it_is(folder: Path) -> None:
    (labels,) = stream(folder).label([["we", "end"]])
    assert [label.mark for label in labels] == ["", "."]
    assert labels[1].sure == pytest.approx(np.exp(5) / (np.exp(5) + np.exp(1) + 5), abs=1e-3)
    assert 0.4 < labels[0].sure < labels[1].sure


def test_the_language_reaches_the_network(tmp_path: Path) -> None:
    path = te_folder.build(tmp_path, languages={"de": STOP, "ru": COMMA})
    marks = {code: stream(path, code).label([["we"]])[0][0].mark for code in ("en", "de", "es", "ru", "de-AT", "RU_ru")}
    assert marks == {"en": "", "de": ".", "es": "", "ru": ",", "de-AT": ".", "RU_ru": ","}


def test_languages_that_it_does_not_know(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"knows de, en, es, ru, and not 'vi'; choose another"):
        stream(folder, "vi")
    assert SileroTe().load(model(folder), Profile()).open().label([["you"]])[0][0].mark == "?"


def test_heads_with_more_classes_than_are_known(tmp_path: Path) -> None:
    path = te_folder.build(tmp_path, {"end": 8, "you": ASK}, {"john": 4}, heads=(9, 5))
    assert said("john end you", path) == "john end you?"


def test_small_words_and_what_stands_around_them(folder: Path) -> None:
    (labels,) = stream(folder).label([["YOU", "«you»", "you,", "...", "John's"]])
    assert [label.mark for label in labels] == ["?", "?", "?", "", ""]


# Words are neither lost nor moved, whatever they are.


def expected(word: str, tokenizer: Tokenizer) -> tuple[str, str]:
    """What the stand-in says of a word alone: by its pieces, in the way that this file's tables say."""
    pieces = list(IDS)
    found = tokenizer.pieces(small(word))
    mark = MARKS.get(pieces[found[-1]], 0)
    case = CASES.get(pieces[found[0]], 0)
    return ("", ".", ",", "", "!", "?", "—")[mark], ("lower", "capital", "upper")[case]


@given(st.lists(st.lists(words, max_size=60), max_size=3), st.sampled_from(["en", "es"]), st.booleans())
def test_each_word_has_its_label(
    folder: Path, narrow: Path, texts: list[list[str]], language: str, begins: bool
) -> None:
    tokenizer = Tokenizer(Vocabulary(listed(IDS)), RULES)
    for path in (folder, narrow):
        found = stream(path, language).label(texts, begins=begins)
        assert [len(labels) for labels in found] == [len(text) for text in texts]
        for text, labels in zip(texts, found, strict=True):
            before = Label()
            for word, label in zip(text, labels, strict=True):
                mark, case = expected(word, tokenizer)
                assert label.mark == mark
                assert label.case == ("capital" if case == "lower" and before.mark in {".", "!", "?"} else case)
                assert 0 <= label.sure <= 1
                before = label


def test_hostile_words_in_one_window(folder: Path) -> None:
    text = [word for word in HOSTILE for _ in range(12)] + ["you"]
    (labels,) = stream(folder).label([text], [[0.0] * len(text)], ends=False)
    assert [label.mark for label in labels] == [*[""] * (len(text) - 1), "?"]


def test_nothing(folder: Path) -> None:
    assert stream(folder).label([]) == []
    assert stream(folder).label([[], ["you"], []])[0::2] == [[], []]


def test_a_closed_stream(folder: Path) -> None:
    open_one = stream(folder)
    open_one.reset()
    open_one.close()
    open_one.close()
    with pytest.raises(EngineError, match="closed; open another"):
        open_one.label([["you"]])
    resident = SileroTe().load(model(folder), Profile())
    resident.close()
    resident.close()


# The input of the network.


@given(st.lists(st.integers(1, 9), min_size=2, max_size=512))
def test_the_frame(ids: list[int]) -> None:
    x, mask = framed(ids, 512)
    size = 18 if len(ids) < 18 else min(len(ids) + 18, 512)
    assert x.shape == mask.shape == (1, size)
    assert x.dtype == mask.dtype == np.int64
    assert x[mask == 1].tolist() == ids
    assert not x[mask == 0].any()
    assert mask[0, : len(ids) - 1].all()
    assert mask[0, -1] == 1
    bare, all_there = framed(ids, 512, gap=0)
    assert bare.tolist() == [ids]
    assert all_there.all()


@given(st.lists(st.integers(1, 70), max_size=120), st.integers(70, 300))
def test_parts_cover_all_words_within_the_limit(sizes: list[int], most: int) -> None:
    parts = list(parts_of(sizes, most))
    done = 0
    for first, last in parts:
        assert first <= done < last
        assert sum(sizes[first:last]) <= most
        done = last
    assert done == len(sizes)
    assert len(parts) <= 1 or sum(sizes) > most
    labels = [[Label(str(at)) for at in range(first, last)] for first, last in parts]
    assert stitched(parts, labels) == [Label(str(at)) for at in range(len(sizes))]


def test_where_parts_overlap_each_gives_what_is_farther_from_its_edge() -> None:
    parts = list(parts_of([1] * 20, 12))
    assert parts == [(0, 12), (9, 20)]
    labels = [[Label(str(number))] * (last - first) for number, (first, last) in enumerate(parts)]
    assert "".join(label.mark for label in stitched(parts, labels)) == "0" * 11 + "1" * 9


def test_one_word_cannot_fill_the_window(folder: Path) -> None:
    open_one = stream(folder)
    address = "a-" * 600
    assert len(open_one._pieces(address)) == 64
    assert len(Tokenizer(Vocabulary(listed(IDS)), RULES).pieces(address)) == 1200


# Word pieces.


def pieces(word: str) -> list[str]:
    names = list(IDS)
    return [names[number] for number in Tokenizer(Vocabulary(listed(IDS)), RULES).pieces(word)]


def test_the_longest_piece_is_taken() -> None:
    assert pieces("going") == ["go", "##ing"]
    assert pieces("homes") == ["home", "##s"]
    assert pieces("дома") == ["{1076}{1086}{1084}", "##{1072}"]
    assert pieces("über-you") == ["{252}ber", "-", "you"]
    assert pieces("—") == ["{8212}"]
    assert pieces("😀") == pieces("{") == pieces("\n") == ["&"]
    assert pieces("hi😀") == ["hi", "&"]
    assert pieces("") == ["[UNK]"]
    assert pieces("x" * 101) == ["[UNK]"]
    assert len(pieces("x" * 100)) == 100


def test_a_word_with_a_letter_of_which_no_piece_goes_on_is_unknown() -> None:
    """ "я" has no piece that goes on with a dash of its own; with rules that keep it inside, the word is unknown."""
    import msgspec

    inside = msgspec.structs.replace(RULES, alone="")
    assert Tokenizer(Vocabulary(listed(IDS)), inside).pieces("you-you") == (IDS["[UNK]"],)


@given(st.dictionaries(st.text("ab#{}109", min_size=1), st.integers(0, 10**6)), st.text("ab#{}109 "))
def test_a_vocabulary_is_a_dictionary(ids: dict[str, int], other: str) -> None:
    if not ids:
        return
    vocabulary = Vocabulary(listed(ids))
    assert len(vocabulary) == len(ids)
    for piece in [*ids, other, other + "a"]:
        assert vocabulary.get(piece) == ids.get(piece)


@pytest.mark.parametrize("text", [b"", b"a 1", "я 1\n".encode()])
def test_a_vocabulary_that_is_none(text: bytes) -> None:
    with pytest.raises(DamagedError, match="convert or copy the model again"):
        Vocabulary(text)


def test_a_line_without_a_number_is_no_piece() -> None:
    assert Vocabulary(b"a x\nb 2\n").get("a") is None


@given(words)
def test_every_word_has_a_piece(word: str) -> None:
    found = Tokenizer(Vocabulary(listed(IDS)), RULES).pieces(word)
    assert found
    assert all(0 <= number < len(IDS) for number in found)


# Folders.


def test_what_is_no_such_model(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothere"):
        with pytest.raises(NotFoundError, match="holds no converted Silero TE model"):
            layout(path)
    (tmp_path / FACTS).write_text('{"engine": "another"}')
    with pytest.raises(NotFoundError):
        layout(tmp_path)
    with pytest.raises(NotFoundError, match="lowvox shrink export silero-te"):
        SileroTe().load(model(None), Profile())


@pytest.mark.parametrize("name", [MODEL, TOKENS])
@pytest.mark.parametrize("how", ["missing", "cut", "empty"])
def test_files_that_are_missing_or_cut(tmp_path: Path, name: str, how: str) -> None:
    file = te_folder.build(tmp_path) / name
    content = file.read_bytes()
    file.unlink()
    if how != "missing":
        file.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
    with pytest.raises(DamagedError, match=rf"incomplete: {name} missing or cut; convert or copy it again\.$"):
        SileroTe().load(model(tmp_path), Profile())


@pytest.mark.parametrize(
    "broken", ['{"engine": "silero-te"', '{"engine": "silero-te"}', '{"engine": "silero-te", "most": "x"}']
)
def test_facts_that_cannot_be_read(tmp_path: Path, broken: str) -> None:
    (te_folder.build(tmp_path) / FACTS).write_text(broken)
    with pytest.raises(DamagedError, match="is damaged"):
        layout(tmp_path)


def test_a_network_that_is_none(tmp_path: Path) -> None:
    file = te_folder.build(tmp_path) / MODEL
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(DamagedError, match="cannot be loaded"):
        SileroTe().load(model(tmp_path), Profile())


@pytest.mark.parametrize(("module", "heavy"), [("silero_te.engine", "torch"), ("silero_te.layout", "numpy")])
def test_what_is_not_imported(module: str, heavy: str) -> None:
    """Every model folder is looked at by each layout, in commands that load no model."""
    code = f"import sys; import lowvox.engines.{module}; sys.exit({heavy!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
