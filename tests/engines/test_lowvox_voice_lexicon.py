"""CMUdict on disk, from the PocketSphinx that is installed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from lowvox.engines.lowvox_voice import lexicon as lowvox_voice_lexicon
from lowvox.engines.lowvox_voice.lexicon import lexicon, parsed
from lowvox.engines.lowvox_voice.tokens import PHONES


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("read R EH D\n", (b"read", 1.0, b"R EH D")),
        ("read(2) R IY D\n", (b"read", 2.0, b"R IY D")),
        ("'em  AH M \r\n", (b"'em", 1.0, b"AH M")),
    ],
)
def test_lines(line: str, found: tuple[bytes, float, bytes]) -> None:
    assert parsed(line) == found


@pytest.mark.parametrize("line", ["", "\n", "word\n", "word 1\n", "word(x) AH\n", "(2) AH\n", "word ah\n"])
def test_broken_lines(line: str) -> None:
    with pytest.raises(ValueError, match="is no line of CMUdict"):
        parsed(line)


def test_it_holds_what_the_package_holds(home: Path) -> None:
    words = lexicon()
    assert words
    with closing(words):
        assert words.skipped == 0
        assert words.phonemes("read") == ["R", "EH", "D"]
        assert words.phonemes("zygote")
        assert words.phonemes("qwyrzle") is None
        assert set(words.phonemes("treasure") or []) <= set(PHONES)
    assert len([*(home / "cache" / "dictionaries").iterdir()]) == 1


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowvox_voice_lexicon, "find_spec", lambda _: None)
    assert lexicon() is None
