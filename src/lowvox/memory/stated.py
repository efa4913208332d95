"""A budget and a keep-alive as they were stated, or else as the settings have them; what is wrong there is named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lowvox.errors import UsageError
from lowvox.memory.budget import Budget
from lowvox.memory.keeping import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Iterator


def budget(stated: str | float | Budget | None, setting: str | None) -> Budget | None:
    """Read a budget; that of the settings is shared by all who have it."""
    if stated is not None:
        return Budget.parse(stated)
    if setting is None:
        return None
    with _named("memory.budget"):
        return Budget.parse(setting, shared=True)


def keep_alive(stated: str | float | None, setting: str) -> KeepAlive:
    """Read how long what is idle stays."""
    if stated is not None:
        return KeepAlive.parse(stated)
    with _named("memory.keep_alive"):
        return KeepAlive.parse(setting)


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Say what is wrong with a setting with its name."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"The setting {key}: {error}") from error
