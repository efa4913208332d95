"""`memory.stated`: what was stated goes before the settings, and what is wrong in those is named."""

from __future__ import annotations

import pytest

from lowvox.errors import UsageError
from lowvox.memory import stated
from lowvox.memory.budget import Budget
from lowvox.memory.keeping import KeepAlive


def test_what_was_stated_goes_before_the_settings() -> None:
    assert stated.budget("300 MB", "200 MB") == Budget.parse("300 MB")
    assert stated.budget(None, None) is None
    assert stated.keep_alive("5m", "60m") == KeepAlive.parse("5m")
    assert stated.keep_alive(None, "60m") == KeepAlive.parse("60m")


def test_the_budget_of_the_settings_is_shared() -> None:
    found = stated.budget(None, "200 MB")
    assert found is not None
    assert found.shared
    assert not Budget.parse("200 MB").shared


def test_what_is_wrong_in_the_settings_is_named() -> None:
    with pytest.raises(UsageError, match=r"^The setting memory\.budget: "):
        stated.budget(None, "12 parsecs")
    with pytest.raises(UsageError, match=r"^The setting memory\.keep_alive: "):
        stated.keep_alive(None, "soon")
