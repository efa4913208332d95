"""A budget, a keep-alive and session settings as they were stated, or else as the settings have them.

What is wrong there is named.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError
from lowvox.memory.budget import Budget
from lowvox.memory.keeping import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lowvox.settings import Onnx
    from lowvox.types import Profile

# Settings of ONNX Runtime's sessions by name, without those that nobody stated.
Session = tuple[tuple[str, Any], ...]


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


def session(setting: Onnx, note: Callable[[str], None]) -> Session:
    """Read the session settings; providers are those that work here, and `note` is told of others.

    NotFoundError where a provider that was named alone cannot be had.
    """
    from lowvox.onnx import providers

    pairs = {name: value for name in setting.__struct_fields__ if (value := getattr(setting, name)) is not None}
    pairs["providers"] = providers.usable(setting.providers, note)
    if pairs["providers"] == ("cpu",):
        del pairs["providers"]
    return tuple(sorted(pairs.items()))


def profile(usual: Profile, threads: int | None, session: Session) -> Profile:
    """Return a profile with what was stated; plans count its threads, so those are no setting among others."""
    pairs = dict(session)
    own = pairs.pop("intra_op_num_threads", None)
    return replace(usual, threads=own or threads or usual.threads, stated=tuple(pairs.items()))


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Say what is wrong with a setting with its name."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"The setting {key}: {error}") from error
