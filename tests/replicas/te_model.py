"""The object inside a Silero TE package: text in, text with marks and capitals out, by the rules of the original.

It is packed into the stand-in's file with this source, and is the judge of what lowvox makes of the same network.
"""

from __future__ import annotations

import re
from typing import Any

import torch

LANGUAGES = {"en": 0, "de": 1, "es": 2, "ru": 3}
MARKS = ("", ".", ",", "-", "!", "?", "_")


class TeModel:
    """A network, a tokenizer, and the way through both."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.examples = ["hello how are you", "guten morgen wir sind da"]

    def labels(self, text: str, language: str) -> list[tuple[str, int, int]]:
        """Return each piece with its mark and its case."""
        known = {letter for token in self.tokenizer.uni_vocab for letter in plain(token)}
        ids = self.tokenizer.convert_string_to_ids("".join(_escaped(letter, known) for letter in text))
        size = 18 if len(ids) < 18 else min(len(ids) + 18, 512)
        x = torch.tensor([[*ids[:-1], *[0] * (size - len(ids)), ids[-1]]])
        mask = torch.ones_like(x)
        mask[0, len(ids) - 1 : -1] = 0
        with torch.no_grad():
            marks, cases = self.model(x, mask, torch.tensor([[[LANGUAGES.get(language, 0)]]]))
        tokens = [plain(token) for token in self.tokenizer.convert_ids_to_tokens(ids)]
        found = zip(tokens, marks[0].argmax(-1).tolist(), cases[0].argmax(-1).tolist(), strict=False)
        return list(found)[1 : len(ids) - 1]

    def enhance_text(self, text: str, lan: str = "en") -> str:
        """Return the text with marks and capitals."""
        written: list[str] = []
        for token, mark, case in self.labels(text, lan):
            ended = bool(written) and written[-1] in (".", "!", "?")
            written.append(_cased(token, 1 if ended and case == 0 else case))
            if mark:
                written.append(MARKS[mark])
        return str(self.tokenizer.convert_tokens_to_string(written)).replace("_", " —").strip()


def plain(token: str) -> str:
    """Undo the escape."""
    return re.sub(r"\{(\d+)\}", lambda code: chr(int(code[1])), token)


def _escaped(letter: str, known: set[str]) -> str:
    if ord(letter) < 127:
        return letter
    return f"{{{ord(letter)}}}" if letter in known else "&"


def _cased(token: str, case: int) -> str:
    at = 2 if token.startswith("##") else 0
    if case == 2:
        return token.upper()
    return token[:at] + token[at : at + 1].upper() + token[at + 1 :] if case else token
