"""An unfinished download: the bytes that are here, and a note of what they are a part of.

The note holds the validator (ETag or date) by which a server says whether its file is still the same. Knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path


class _Note(msgspec.Struct, frozen=True):
    url: str
    validator: str


@dataclass(frozen=True, slots=True)
class Part:
    """The file at `path`, with its note in `NAME.note` beside it."""

    path: Path

    @property
    def held(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def begin(self, url: str, headers: Message) -> None:
        """Start over, and note what the file will be a part of if the server gives a validator for If-Range."""
        self.forget()
        tag = headers.get("ETag", "")
        # A weak tag does not promise the same bytes, and If-Range must not send it.
        validator = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        if validator:
            self._note.write_bytes(msgspec.json.encode(_Note(url, validator)))

    def validator(self, url: str) -> str | None:
        """Return what If-Range sends to go on from `url`; None when the download must start over."""
        if not self.held:
            return None
        try:
            note = msgspec.json.decode(self._note.read_bytes(), type=_Note)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return note.validator if note.url == url else None

    def forget(self) -> bool:
        """Remove the file and its note; return whether there was a file."""
        there = self.path.exists()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        return there

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + ".note")
