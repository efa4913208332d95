"""From text to the ids of a Piper voice. espeak is only ever in a process of its own: here its clauses are told."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.espeak.library import Clause, ended
from lowvox.engines.piper.config import Config
from lowvox.engines.piper.phonemes import check, ids, phonemes
from lowvox.errors import NotFoundError
from replicas import vits


def config(kind: Any = "espeak", **changes: Any) -> Config:
    return msgspec.convert(vits.config("en_US-test-medium", kind) | changes, Config)


def told(**clauses: list[tuple[str, str]]) -> Any:
    """An espeak that knows some words, each with its clauses."""
    return lambda text, voice: [Clause(*clause) for clause in clauses[text.strip()]]


def joined(sentences: list[list[str]]) -> list[str]:
    return ["".join(one) for one in sentences]


def test_letters_are_taken_apart_from_their_marks_and_nothing_else_is_done_to_them() -> None:
    assert phonemes("Ёж, é!", config("text"), told()) == [["Е", "\u0308", "ж", ",", " ", "e", "\u0301", "!"]]
    assert phonemes("", config("text"), told()) == []


def test_clauses_keep_their_marks_and_sentences_end_where_espeak_ends_them() -> None:
    found = phonemes(
        "x", config(), told(x=[("həlˈoʊ", ","), ("wˈɜːld", "."), ("ʃˈʊɹ", ";"), ("ɹˈaɪt", "?"), ("ˈoʊ", "")])
    )
    assert joined(found) == ["həlˈoʊ, wˈɜːld.", "ʃˈʊɹ; ɹˈaɪt?", "ˈoʊ"]
    assert all(len(one) == 1 for sentence in found for one in sentence)


def test_languages_that_espeak_switches_to_are_not_spoken() -> None:
    assert joined(phonemes("x", config(), told(x=[("(en)kəmpjˈuːtə(ru) ˈɛtʌ", "!")]))) == ["kəmpjˈuːtə ˈɛtʌ!"]


def test_what_is_raw_joins_what_is_around_it_and_is_not_taken_apart() -> None:
    speaks = told(say=[("sˈeɪ", "")], now=[("nˈaʊ", ".")], So=[("sˈoʊ", ",")])
    assert joined(phonemes("say [[ həlˈoʊ ]] now", config(), speaks)) == ["sˈeɪ həlˈoʊ nˈaʊ."]
    assert joined(phonemes("[[ç]]now", config(), speaks)) == ["çnˈaʊ."]
    assert joined(phonemes("So [[a]]", config(), speaks)) == ["sˈoʊ, a"]
    assert joined(phonemes("[[a]] [[b]]", config(), speaks)) == ["a b"]
    assert joined(phonemes("[[]]", config(), speaks)) == []


def test_replacements_and_clusters_are_the_voices_own() -> None:
    own = config(phoneme_map={"ɜ": ["ə", "ɹ"], "ː": []}, vowel_clusters=[["a", "ɪ"], ["a", "ɪ", "ə"]])
    (found,) = phonemes("x", own, told(x=[("wˈɜːld aɪ faɪə", "")]))
    assert found == ["w", "ˈ", "ə", "ɹ", "l", "d", " ", "aɪ", " ", "f", "aɪə"]


def test_ids_are_padded_between_begin_and_end() -> None:
    known = config()
    assert ids(["h", "i"], known) == [1, 0, 20, 0, 21, 0, 2]
    assert ids(["h", "i"], known, padded=False) == [1, 20, 0, 21, 0, 2]
    assert ids(["aɪ"], config(phoneme_id_map={"_": [0], "^": [1], "$": [2], "aɪ": [5, 6]})) == [1, 0, 5, 6, 0, 2]


def test_what_a_voice_does_not_know_is_left_out() -> None:
    assert ids(["h", "字", "i"], config()) == ids(["h", "i"], config())
    for nothing in ([], ["字"], [" ", "."], ["字", "!"], ["😀"], ["$", "_"]):
        assert ids(nothing, config()) == []


@given(text=st.text(max_size=40))
def test_ids_are_always_those_of_the_map(text: str) -> None:
    known = config("text")
    for one in phonemes(text, known, told()):
        assert one == [*unicodedata.normalize("NFD", text)]
        found = ids(one, known)
        assert not found or (found[:2], found[-1]) == ([1, 0], 2)
        assert found.count(0) == max(0, (len(found) - 1) // 2)
        assert (found.count(1), found.count(2)) == (bool(found), bool(found))


@pytest.mark.parametrize("kind", ["pinyin", "hebrew", "japanese", "thai"])
def test_other_phonemizers_are_refused(kind: str) -> None:
    with pytest.raises(NotFoundError, match=f"phonemizer that lowvox does not have .'{kind}'.; choose"):
        check(config(phoneme_type=kind))
    check(config())


@pytest.mark.parametrize(
    ("read", "mark"),
    [
        ("Hello, w", ","), ("orld.", "."), ("Really?”", "?"), ("he said (yes). N", "."), ("«Правда?» — с", ";"),
        ("Wait... w", ""), ("a lot… “", ""), ("One\n\nT", ""), ("the 3.5", ""), ("okay", ""), ("", ""), ("so!!! ", "!"),
        ("what?! N", "?"), ("oh?.. N", "?"), ("left — q", ";"), ("word—w", ""), (' , "', ","), ("colours: r", ":"),
    ],
)  # fmt: skip
def test_the_mark_that_ended_a_clause_is_found_in_what_was_read(read: str, mark: str) -> None:
    assert ended(read) == mark


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs the extra `espeak`")
def test_espeak_in_a_process_of_its_own() -> None:
    script = """if True:
        import json
        from lowvox.engines.espeak.library import library
        say = library().clauses
        print(json.dumps([
            say("Hello, world! Fine; thanks: yes... “Really?” he said.", "en-us"), say("Привет, hello мир!", "ru"),
            say("", "en-us"), say("\\0 \\ud800", "en-us"), say("word " * 400, "en-us"), say("Schön.", "de"),
        ]))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    english, russian, nothing, odd, long, german = json.loads(done.stdout)
    assert [mark for _, mark in english] == [",", "!", ";", ":", "", "?", "."]
    assert english[0][0].startswith("hə")
    assert russian[1][0].startswith("(en)")
    assert "(ru)" in russian[1][0]
    assert not any(sounds for sounds, _ in nothing + odd)
    assert sum(sounds.count("w") for sounds, _ in long) == 400
    assert german == [["ʃˈøːn", "."]]
