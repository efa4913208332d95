"""The catalogue: every model that lowvox knows by name, with what its makers publish about it.

The facts are in `catalogue.json`, each with its source. Knows nothing of what is installed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lowvox import engines
from lowvox.errors import NotFoundError

if TYPE_CHECKING:
    from lowvox.types import Role


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published error rate: `value` in per cent, `metric` names it and its test set."""

    metric: str
    value: float
    source: str


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model.

    `languages` holds its BCP-47 code first, then other codes for the same; none means that language does not matter.
    `size` is bytes of the archive, exact where `md5` is known. `memory_mb` is the published hint for running it.
    `url` is None for a model that comes inside its engine's package. None elsewhere: no source states it.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    source: str
    licence: str | None = None
    size: int = 0
    md5: str | None = None
    quality: Quality | None = None
    memory_mb: int | None = None
    url: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether it comes inside its engine's package."""
        return self.url is None

    @property
    def role(self) -> Role:
        """What its engine does."""
        return engines.entry(self.engine).role


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sources: dict[str, str]
    models: list[Record]


@cache
def records() -> dict[str, Record]:
    """Return all models by name, the embedded ones first."""
    file = msgspec.json.decode(Path(__file__).with_name("catalogue.json").read_bytes(), type=_File)
    return {record.name: record for record in file.models}


def code(language: str) -> str:
    """Return a language code as the catalogue writes it: `pt_BR` is `pt-br`."""
    return language.strip().replace("_", "-").lower()


def serves(languages: tuple[str, ...], language: str) -> bool:
    """Whether a model with these languages serves `language`: its own code, or the code without the region."""
    wanted = code(language)
    return wanted in languages or wanted.partition("-")[0] in languages


def same(language: str) -> tuple[str, ...]:
    """Return all codes of a language, the BCP-47 one first: `cn` is `zh`, `cn`."""
    wanted = code(language)
    return next((record.languages for record in _downloads(None) if wanted in record.languages), (wanted,))


def smallest(role: Role, language: str) -> Record | None:
    """Return the smallest download that serves `language`, one with exactly its code first."""
    fitting = [record for record in _downloads(role) if serves(record.languages, language)]
    return min(fitting, key=lambda record: (code(language) not in record.languages, record.size), default=None)


def unknown(language: str, role: Role | None = None) -> NotFoundError:
    """Return the error for a language that no model serves; it lists those that exist."""
    fitting = [record for record in records().values() if role in (None, record.role)]
    known = sorted({spoken.partition("-")[0] for record in fitting for spoken in _languages(record)})
    return NotFoundError(
        f"lowvox knows no {role or 'model'} for the language {language!r}; it knows {', '.join(known)}."
    )


def _languages(record: Record) -> tuple[str, ...]:
    """Return the languages of a record, each once: a download has one language with several codes."""
    return record.languages if record.embedded else record.languages[:1]


def _downloads(role: Role | None) -> list[Record]:
    return [record for record in records().values() if not record.embedded and role in (None, record.role)]
