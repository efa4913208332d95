"""`lowvox punctuate`: as a person or a script calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def lowvox(*args: str, given: str | bytes = "") -> subprocess.CompletedProcess[bytes]:
    data = given if isinstance(given, bytes) else given.encode()
    command = [sys.executable, "-m", "lowvox", "punctuate", *args]
    return subprocess.run(command, input=data, capture_output=True, check=False)


@pytest.mark.usefixtures("measured")
class TestPunctuate:
    def test_one_line_in_one_line_out(self) -> None:
        done = lowvox("-l", "en", given="how are you\n\ni am fine\n")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode() == "How are you?\n\nI am fine.\n"

    def test_the_language_is_told_by_the_text(self) -> None:
        done = lowvox(given="ich weiß nicht ob er kommt")
        assert done.stderr.decode() == "Taken for German; -l LANG says otherwise.\n"
        assert done.stdout.decode() == "Ich weiß nicht, ob er kommt."

    def test_json_gives_one_object_a_line(self) -> None:
        done = lowvox("--json", "-l", "en", given="how are you\ni am fine")
        assert [json.loads(line) for line in done.stdout.splitlines()] == [
            {"text": "How are you?", "language": "en"},
            {"text": "I am fine.", "language": "en"},
        ]

    def test_a_file_within_a_budget(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("how are you\n")
        done = lowvox("-l", "en", "--budget", "120MB", str(tmp_path / "notes.txt"))
        assert done.stdout.decode() == "How are you?\n"

    @pytest.mark.parametrize(
        ("args", "given", "status", "says"),
        [
            (("-l", "en", "--budget", "20MB"), "hello", 3, "--budget"),
            (("-l", "xx"), "hello", 4, "'xx'"),
            (("-l", "en", "missing.txt"), "", 4, "missing.txt"),
            (("-l", "en"), b"\xff\xfe", 4, "not UTF-8"),
            (("--nonsense",), "", 2, "--nonsense"),
        ],
    )
    def test_what_cannot_be(self, args: tuple[str, ...], given: str | bytes, status: int, says: str) -> None:
        done = lowvox(*args, given=given)
        assert done.returncode == status
        assert says in done.stderr.decode()
        assert not done.stdout

    @pytest.mark.parametrize(
        "text",
        [
            "🙂 🙂🙂 great 🎉\n",
            "see https://example.org/a?b=c and user@example.org or C:\\temp\n",
            "for (int i = 0; i < n; i++) { x[i] += y; }\n",
            "... !!! ???\n",
            "שלום עולם مرحبا\n",
            "hello mein freund что ты\n",
            "a\0b \x07\n",
            "already Written, and Marked. NASA iPhone\n",
            "\n",
            "",
        ],
    )
    def test_words_come_back_in_order(self, text: str) -> None:
        done = lowvox("-l", "en", given=text)
        assert done.returncode == 0
        before, after = text.split(), [word for word in done.stdout.decode().split() if word != "—"]
        assert [word.lower() for word in before] == [
            word[: len(old)].lower() for word, old in zip(after, before, strict=True)
        ]

    def test_a_megabyte_in_one_line(self) -> None:
        line = "it was a cold day and nobody came " * 30_000
        done = lowvox("-l", "en", given=line)
        assert done.returncode == 0
        words = done.stdout.decode().lower().replace(",", "").replace(".", "").replace(" —", "")
        assert words.replace("?", "").replace(";", "").replace("!", "").replace(":", "").split() == line.split()
