"""`memory.stated`: what was stated goes before the settings, and what is wrong in those is named."""

from __future__ import annotations

import pytest

from lowvox.errors import NotFoundError, UsageError
from lowvox.memory import stated
from lowvox.memory.budget import Budget
from lowvox.memory.keeping import KeepAlive
from lowvox.onnx import providers
from lowvox.settings import Onnx
from lowvox.types import Profile


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


def test_session_settings_that_nobody_stated_are_none() -> None:
    assert stated.session(Onnx(), pytest.fail) == ()
    assert stated.session(Onnx(enable_mem_pattern=False, inter_op_num_threads=2), pytest.fail) == (
        ("enable_mem_pattern", False),
        ("inter_op_num_threads", 2),
    )


def test_providers_are_those_that_work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"cuda": providers.ABSENT, "openvino": "", "cpu": ""}
    monkeypatch.setattr(providers, "survey", lambda: here)
    said: list[str] = []
    assert stated.session(Onnx(providers="cuda,openvino,cpu"), said.append) == (("providers", ("openvino", "cpu")),)
    assert stated.session(Onnx(providers="cuda,cpu"), said.append) == ()
    assert len(said) == 2
    with pytest.raises(NotFoundError, match="provider cuda is not in"):
        stated.session(Onnx(providers="cuda"), said.append)


def test_threads_of_an_operator_are_the_threads_of_the_profile() -> None:
    """Plans count them."""
    usual = Profile(window=64)
    assert stated.profile(usual, None, ()) == usual
    assert stated.profile(usual, 3, ()) == Profile(threads=3, window=64)
    said = (("enable_mem_pattern", False), ("intra_op_num_threads", 2))
    assert stated.profile(usual, 3, said) == Profile(threads=2, window=64, stated=said[:1])
