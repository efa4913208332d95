"""Choosing: which model serves a role and a language, or the command that brings one.

Knows nothing of budgets: the planner chooses among what fits.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import engines
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.models import catalogue, store
from lowvox.models.disk import MB
from lowvox.types import Model

if TYPE_CHECKING:
    from lowvox.types import Role


def find(role: Role, language: str | None = None, name: str | None = None) -> Model:
    """Return the model to load.

    `name` decides alone: an installed or built-in model, or the path of a model folder anywhere. Otherwise `language`
    decides: of the installed models that serve it the one with the lowest published error rate, else a built-in one;
    without a language what is built in. NotFoundError says which command brings what is missing; DamagedError names
    the missing files; UsageError when the name is of another role.
    """
    return _named(role, name) if name else _serving(role, language)


def advice(model: Model, language: str) -> str | None:
    """Say which download would serve better than a built-in model, None where nothing is known to."""
    offer = catalogue.smallest(model.role, language)
    if model.path is not None or offer is None or offer.quality is None:
        return None
    return (
        f"{model.name} needs no download but understands clear speech alone; `lowvox pull {offer.name}` "
        f"({offer.size / MB:.0f} MB) brings one with {offer.quality.value:g} % {offer.quality.metric}."
    )


def _named(role: Role, name: str) -> Model:
    record = catalogue.records().get(name)
    if record and record.embedded:
        model = _embedded(record)
    elif found := next((found for found in store.installed() if found.name == name), None):
        model = _model(found)
    elif (path := Path(name).expanduser().resolve()).is_dir():
        model = _model(store.read(path))
    else:
        raise missing(name)
    if model.role != role:
        raise UsageError(f"The model {name!r} is a {model.role}, and a {role} is needed; `lowvox models` lists them.")
    return model


def _serving(role: Role, language: str | None) -> Model:
    if language:
        here = [
            m
            for m in store.installed()
            if engines.entry(m.engine).role == role and catalogue.serves(m.languages, language)
        ]
        if here:
            return _model(min(here, key=lambda found: _rank(found, language)))
    for record in catalogue.records().values():
        fits = not language or not record.languages or catalogue.serves(record.languages, language)
        if record.embedded and record.role == role and fits:
            return _embedded(record)
    if language and (offer := catalogue.smallest(role, language)):
        raise NotFoundError(
            f"No {role} for {language!r} is installed; run `lowvox pull {offer.name}` ({offer.size / MB:.0f} MB)."
        )
    raise catalogue.unknown(language or "any", role)


def _rank(found: store.Installed, language: str) -> tuple[bool, float, str]:
    """Sort by the exact language first, then by the published error rate; an unknown one comes last."""
    record = catalogue.records().get(found.name)
    error_rate = record.quality.value if record and record.quality else float("inf")
    return catalogue.code(language) not in found.languages, error_rate, found.name


def _model(found: store.Installed) -> Model:
    if found.problem:
        raise DamagedError(found.problem)
    role = engines.entry(found.engine).role
    return Model(found.name, found.engine, role, found.languages, found.path, store.digest(found.path))


def _embedded(record: catalogue.Record) -> Model:
    """Return a model that its engine's package holds; it changes when the package does."""
    from importlib.metadata import PackageNotFoundError, version

    digest = ""
    with suppress(PackageNotFoundError):  # what is missing is said when the engine is created
        digest = version(engines.entry(record.engine).package)
    return Model(record.name, record.engine, record.role, record.languages, None, digest)


def missing(name: str) -> NotFoundError:
    """Return the error for a model that is not here, with the command that brings it or the name that was meant."""
    from difflib import get_close_matches

    if record := catalogue.records().get(name):
        return NotFoundError(
            f"The model {name!r} is not installed; run `lowvox pull {name}` ({record.size / MB:.0f} MB)."
        )
    known = {*catalogue.records(), *(found.name for found in store.installed())}
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`lowvox models` lists those that exist."
    return NotFoundError(f"There is no model {name!r}; {hint}")
