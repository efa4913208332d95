"""Choosing: which model serves a role and a language, or the command that brings one.

Knows nothing of budgets: the planner chooses among what fits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import engines, extras
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.models import catalogue, store
from lowvox.models.disk import MB
from lowvox.onnx.split import SUFFIX as SPLIT
from lowvox.types import Model

if TYPE_CHECKING:
    from lowvox.types import Role


def find(role: Role, language: str | None = None, name: str | None = None) -> Model:
    """Return the best model; see `candidates`."""
    return candidates(role, language, name)[0]


def candidates(role: Role, language: str | None = None, name: str | None = None) -> tuple[Model, ...]:
    """Return the models that may serve, best first; at least one.

    `name` decides alone: an installed or built-in model, or the path of a model folder anywhere. Otherwise `language`
    decides: the installed models that serve it, the lowest published error rate first, then the built-in ones; without
    a language what is built in. NotFoundError says which command brings what is missing; DamagedError names the missing
    files of the best one, a damaged one behind it is left out; UsageError when the name is of another role.
    """
    return (_named(role, name),) if name else _serving(role, language)


def speaking(voice: str | None) -> str | None:
    """Return the model that a voice asks for: an installed one, or a folder, by its name before a "+"; else espeak's.

    None where no voice is asked for.
    """
    if not voice:
        return None
    name = voice.partition("+")[0]
    record = catalogue.records().get(name)
    if record and record.embedded and record.role == "synthesizer":
        return name
    here = any(found.name == name for found in store.installed())
    return name if name and (here or Path(name).expanduser().is_dir()) else "espeak"


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


def _serving(role: Role, language: str | None) -> tuple[Model, ...]:
    here = [*_installed(role, language), *_built_in(role, language)] if language else _built_in(role, None)
    if here:
        return tuple(here)
    if language and (offer := catalogue.smallest(role, language)):
        raise NotFoundError(
            f"No {role} for {language!r} is installed; run `lowvox pull {offer.name}` ({offer.size / MB:.0f} MB)."
        )
    if not any(record.role == role for record in catalogue.records().values()):
        raise NotFoundError(f"There is no {role} yet; `lowvox models` lists the models that there are.")
    raise catalogue.unknown(language or "any", role)


def _installed(role: Role, language: str) -> list[Model]:
    """Return the models in the store that serve, best first: the sound ones, and the best one whatever its state."""
    serving = [
        found
        for found in store.installed()
        if engines.entry(found.engine).role == role and catalogue.serves(found.languages, language)
    ]
    serving.sort(key=lambda found: _rank(found, language))
    return [_model(found) for number, found in enumerate(serving) if number == 0 or not found.problem]


def _built_in(role: Role, language: str | None) -> list[Model]:
    """Return the models in their engines' packages that serve, those of the exact language first.

    Without a language, all of the role.
    """
    serving = [
        record
        for record in catalogue.records().values()
        if record.embedded
        and record.role == role
        and (not language or not record.languages or catalogue.serves(record.languages, language))
    ]
    if language:
        serving.sort(key=lambda record: catalogue.code(language) not in record.languages)
    return [*map(_embedded, serving)]


def _rank(found: store.Installed, language: str) -> tuple[bool, float, str]:
    """Sort by the exact language first, then by the published error rate; an unknown one comes last."""
    rate = _error_rate(found.name)
    return catalogue.code(language) not in found.languages, float("inf") if rate is None else rate, found.name


def _error_rate(name: str) -> float | None:
    record = catalogue.records().get(name)
    return record.quality.value if record and record.quality else None


def _model(found: store.Installed) -> Model:
    if found.problem:
        raise DamagedError(found.problem)
    role, rate = engines.entry(found.engine).role, _error_rate(found.name)
    split = any(found.path.glob(f"*{SPLIT}"))
    digest = store.digest(found.path)
    return Model(found.name, found.engine, role, found.languages, found.path, digest, split=split, error_rate=rate)


def _embedded(record: catalogue.Record) -> Model:
    """Return a model that its engine's package holds, or lowvox; it changes when the package or its files do."""
    digest, own = extras.version(engines.entry(record.engine).package), engines.shipped(record.engine)
    digest = f"{digest} {store.digest(own)}" if own else digest
    return Model(
        record.name, record.engine, record.role, record.languages, None, digest, error_rate=_error_rate(record.name)
    )


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
