"""Spoken commands: "comma" or "new paragraph" said aloud, as the mark or the line break that they stand for.

What a command stands for is joined to the word before it. Knows no model; off unless asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lowvox.text.marks import DASH, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lowvox.types import Label, Word

LINE, PARAGRAPH = "\n", "\n\n"
COMMANDS: dict[str, dict[str, str]] = {
    "en": {
        "comma": ",",
        "full stop": ".",
        "period": ".",
        "question mark": "?",
        "exclamation mark": "!",
        "exclamation point": "!",
        "colon": ":",
        "semicolon": ";",
        "semi colon": ";",
        "dash": DASH,
        "new line": LINE,
        "newline": LINE,
        "new paragraph": PARAGRAPH,
    },
    "de": {
        "komma": ",",
        "punkt": ".",
        "fragezeichen": "?",
        "ausrufezeichen": "!",
        "doppelpunkt": ":",
        "semikolon": ";",
        "strichpunkt": ";",
        "gedankenstrich": DASH,
        "neue zeile": LINE,
        "neuer absatz": PARAGRAPH,
    },
    "es": {
        "coma": ",",
        "punto": ".",
        "signo de interrogación": "?",
        "signo de exclamación": "!",
        "dos puntos": ":",
        "punto y coma": ";",
        "raya": DASH,
        "nueva línea": LINE,
        "nuevo párrafo": PARAGRAPH,
        "punto y aparte": "." + PARAGRAPH,
    },
    "ru": {
        "запятая": ",",
        "точка": ".",
        "вопросительный знак": "?",
        "восклицательный знак": "!",
        "двоеточие": ":",
        "точка с запятой": ";",
        "тире": DASH,
        "новая строка": LINE,
        "с новой строки": LINE,
        "новый абзац": PARAGRAPH,
    },
    "vi": {
        "dấu phẩy": ",",
        "dấu chấm": ".",
        "dấu chấm hỏi": "?",
        "dấu hỏi": "?",
        "dấu chấm than": "!",
        "dấu hai chấm": ":",
        "dấu chấm phẩy": ";",
        "dấu gạch ngang": DASH,
        "xuống dòng": LINE,
        "đoạn mới": PARAGRAPH,
    },
}


def carried_out(words: Sequence[Word], language: str) -> list[Word]:
    """Return the words with each command joined to the word before it; at the beginning it stands alone."""
    commands = COMMANDS.get(language.partition("-")[0].lower(), {})
    longest = max((command.count(" ") + 1 for command in commands), default=0)
    found: list[Word] = []
    at = 0
    while at < len(words):
        length, meant = _command(words[at : at + longest], commands)
        if not length:
            found.append(words[at])
        elif found:
            joint = " " if meant == DASH else ""
            found[-1] = replace(found[-1], word=found[-1].word + joint + meant, end=words[at + length - 1].end)
        else:
            found.append(replace(words[at], word=meant, end=words[at + length - 1].end))
        at += length or 1
    return found


def text(words: Iterable[str]) -> str:
    """Join words with spaces; a line break needs none."""
    return " ".join(words).replace(" " + LINE, LINE).replace(LINE + " ", LINE)


def told(words: Iterable[str], labels: Iterable[Label]) -> Iterator[Label]:
    """Let a mark that was spoken count for what follows it."""
    for word, label in zip(words, labels, strict=True):
        mark = "." if word.endswith(LINE) else word[-1:]
        yield replace(label, mark=mark) if mark in MARKS and mark else label


def _command(words: Sequence[Word], commands: dict[str, str]) -> tuple[int, str]:
    """Return how many words at the beginning are a command, 0 for none, and what it stands for."""
    for length in range(len(words), 0, -1):
        said = " ".join(word.word.lower() for word in words[:length])
        if said in commands:
            return length, commands[said]
    return 0, ""
