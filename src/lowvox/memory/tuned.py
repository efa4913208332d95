"""What `lowvox tune` found out about a model, as it is kept in the ledger: the best ways, and which of them serve now.

What does not read is as if it had never been found out. Measures nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from lowvox.memory.front import Way, by_threads, front
from lowvox.memory.ledger import Ledger, tuned_key
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.memory.stated import Session
    from lowvox.types import Model

_Count = Annotated[int, Meta(ge=1)]


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A way; the field names are the keys in the ledger."""

    name: str
    threads: _Count
    window: _Count | None
    peak: Annotated[int, Meta(ge=0)]
    rtf: Annotated[float, Meta(ge=0)]


class _Record(Struct, frozen=True, forbid_unknown_fields=True):
    tolerance: Annotated[float, Meta(ge=0)]
    ways: tuple[_Kept, ...]


def keep(model: Model, package: str, stated: Session, ways: Sequence[Way], tolerance: float) -> bool:
    """Keep the best of these ways for plans; False where the ledger cannot be written."""
    kept = tuple(
        _Kept(way.profile.name, way.profile.threads, way.profile.window, way.peak, way.rtf)
        for way in by_threads(ways, tolerance)
    )
    text = msgspec.json.encode(_Record(tolerance, kept)).decode()
    return Ledger().tune(tuned_key(model, stated, package), text)


def forget(model: Model, package: str, stated: Session) -> bool:
    """Forget what was found out about a model; False where nothing was."""
    return Ledger().forget(tuned_key(model, stated, package))


def profiles(model: Model, package: str, stated: Session, threads: int | None, most: int) -> tuple[Profile, ...]:
    """Return the best ways to run a model, the fastest first; none where it was not tuned.

    They have the `threads` that the user stated; where none were, `most` at the most, or as few as there are.
    """
    text = Ledger().tuned(tuned_key(model, stated, package))
    record = _read(text) if text else None
    if record is None:
        return ()
    ways = [Way(Profile(kept.name, kept.threads, kept.window), kept.peak, kept.rtf) for kept in record.ways]
    most = max(most, min(way.profile.threads for way in ways))
    fit = [way for way in ways if (way.profile.threads == threads if threads else way.profile.threads <= most)]
    return tuple(replace(way.profile, stated=stated) for way in front(fit, record.tolerance))


def _read(text: str) -> _Record | None:
    try:
        record = msgspec.json.decode(text, type=_Record)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return record if record.ways else None
