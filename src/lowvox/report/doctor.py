"""Renders what `lowvox doctor` found as aligned text. Finds nothing out itself."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Status = Literal["ok", "missing", "warning"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; the field names are the keys of `lowvox doctor --json`. `fix` says what to do, where there is."""

    name: str
    status: Status
    detail: str
    fix: str | None = None


_MARKS: dict[Status, str] = {"ok": "✓", "missing": "–", "warning": "!"}
_ASCII: dict[Status, str] = {"ok": "+", "missing": "-", "warning": "!"}


def lines(checks: Sequence[Check], encoding: str, width: int) -> Iterator[str]:
    """Yield the text, wrapped to `width` columns; a fix stays on one line, so that it can be copied."""
    marks = _MARKS if _can_show("".join(_MARKS.values()), encoding) else _ASCII
    column = max(len(check.name) for check in checks)
    indent = " " * (column + 4)
    for check in checks:
        first = f"{marks[check.status]} {check.name:{column}}  "
        yield from wrap(
            check.detail,
            max(width, column + 40),
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if check.fix:
            yield f"{indent}Do: {check.fix}"


def _can_show(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
