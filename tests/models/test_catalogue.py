"""The catalogue file holds what it promises, and finds models by language."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec
import pytest

from lowvox import engines
from lowvox.errors import NotFoundError
from lowvox.models import catalogue


def test_every_record_is_complete() -> None:
    names = set()
    for record in catalogue.records().values():
        names.add(record.name)
        assert record.engine in engines.ENGINES
        assert record.source
        assert all(re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,3})?", code) for code in record.languages), record.name
        assert record.md5 is None or re.fullmatch(r"[0-9a-f]{32}", record.md5)
        if record.url:
            assert urlsplit(record.url).scheme == "https"
            assert record.url.endswith(f"/{record.name}.zip")
            assert record.size > 1 << 20
    assert names == set(catalogue.records())


def test_the_languages_that_people_ask_for_are_there() -> None:
    wanted = "ar ca cs de en eo es fa fr hi it ja ko nl pl pt ru sv tr uk vi zh"
    assert [code for code in wanted.split() if not catalogue.smallest("recognizer", code)] == []


def test_the_embedded_ones() -> None:
    embedded = {record.name: record.role for record in catalogue.records().values() if record.embedded}
    assert embedded == {
        "pocketsphinx-en-us": "recognizer",
        "silero-vad": "vad",
        "lowvox-te": "punctuator",
        "lowvox-te-vi": "punctuator",
        "espeak": "synthesizer",
        "lowvox-voice": "synthesizer",
    }


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.json.decode(
            b'{"name":"a","engine":"vosk","languages":[],"source":"s","colour":1}', type=catalogue.Record
        )


@pytest.mark.parametrize(
    ("languages", "asked", "served"),
    [
        (("de",), "de", True),
        (("de",), "de-AT", True),
        (("pt",), "pt_BR", True),
        (("en-in",), "en", False),
        (("en", "en-us"), "EN-US", True),
        (("zh", "cn"), "cn", True),
        ((), "de", False),
    ],
)
def test_serves(languages: tuple[str, ...], asked: str, served: bool) -> None:
    assert catalogue.serves(languages, asked) is served


def test_the_smallest_has_the_exact_language() -> None:
    indian, american = catalogue.smallest("recognizer", "en-in"), catalogue.smallest("recognizer", "en")
    assert indian
    assert american
    assert indian.name == "vosk-model-small-en-in-0.4"
    assert american.name == "vosk-model-small-en-us-0.15"


def test_makers_codes_lead_to_the_language() -> None:
    assert catalogue.same("vn") == ("vi", "vn")
    assert catalogue.same("qq") == ("qq",)


def test_an_unknown_language_is_one_sentence_that_lists_the_known() -> None:
    error = catalogue.unknown("xx", "recognizer")
    assert isinstance(error, NotFoundError)
    assert str(error).startswith("lowvox knows no recognizer for the language 'xx'; it knows ar, br, ca,")
    assert ", cn," not in str(error)
