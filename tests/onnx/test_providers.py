"""Providers: real sessions on the CPU, and stand-ins for wheels that promise what they do not keep."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lowvox.errors import EngineError, NotFoundError, UsageError
from lowvox.onnx import providers, runtime
from lowvox.onnx.providers import ABSENT, PROVIDERS
from lowvox.onnx.session import Session
from lowvox.types import Profile
from replicas import graphs

SILENT = "did not start: its libraries or its device are missing"


class Built:
    """A session, as far as it is asked here."""

    def __init__(self, *names: str) -> None:
        self.names = [PROVIDERS[name].own for name in names]

    def get_providers(self) -> list[str]:
        return self.names


def obedient(own: list[str]) -> Built:
    """Give what is asked for."""
    return Built(*(name for each in own for name, known in PROVIDERS.items() if known.own == each))


def silent(own: list[str]) -> Built:  # whatever is asked for
    """Fall back without a word, as the wheel for CUDA does without its libraries."""
    return Built("cpu")


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> Iterator[None]:
    providers._warn.cache_clear()
    yield
    providers._warn.cache_clear()


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the installed onnxruntime be a wheel with these providers."""

    def built_with(*names: str) -> None:
        own = [PROVIDERS[name].own for name in names]
        monkeypatch.setattr(runtime(), "get_available_providers", lambda: own)
        monkeypatch.setattr(runtime(), "preload_dlls", lambda: print("Failed to load libcudnn.so.9"))

    return built_with


def test_lists_are_read_in_their_order() -> None:
    assert providers.chain("cpu") == ("cpu",)
    assert providers.chain(" CUDA, cpu,cuda ") == ("cuda", "cpu")
    assert providers.chain("auto")[-1] == "cpu"
    assert set(providers.chain("auto")) <= set(PROVIDERS)


@pytest.mark.parametrize("text", ["", "gpu", "cuda;cpu", "cuda,,cpu", "auto,cpu"])
def test_unknown_names_are_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(UsageError, match=r"no provider '.*'; there are cuda, .*cpu, and auto"):
        providers.chain(text)


def test_the_cpu_needs_nothing() -> None:
    session = Session(graphs.stack())
    assert session.provider == "cpu"
    assert providers.build(obedient, ("cpu",), "It").names == ["CPUExecutionProvider"]


def test_the_first_that_can_be_had_is_taken(wheel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    wheel("cuda", "openvino", "cpu")
    assert providers.of(providers.build(obedient, ("cuda", "openvino", "cpu"), "It")) == "cuda"
    assert capsys.readouterr().out == ""


def test_what_the_wheel_has_not_is_said_once_with_the_wheel_that_has(wheel: Callable[..., None]) -> None:
    wheel("cpu")
    with pytest.warns(RuntimeWarning) as said:
        assert providers.of(providers.build(obedient, ("openvino", "cpu"), "It")) == "cpu"
    (only,) = said
    assert str(only.message) == (
        f"The provider openvino {ABSENT}; it needs a processor of Intel and the wheel: {providers.swap('openvino')}; "
        "until then cpu does the work."
    )
    with warnings.catch_warnings(action="error"):
        providers.build(obedient, ("openvino", "cpu"), "Another")


def test_a_silent_fallback_is_noticed(wheel: Callable[..., None]) -> None:
    wheel("cuda", "cpu")
    with pytest.warns(RuntimeWarning, match=f"cuda {SILENT}.*until then cpu does the work"):
        assert providers.of(providers.build(silent, ("cuda", "cpu"), "It")) == "cpu"


def test_one_that_fails_is_passed_over_with_what_it_said(wheel: Callable[..., None]) -> None:
    wheel("cuda", "cpu")

    def make(own: list[str]) -> Built:
        if len(own) > 1:
            raise RuntimeError("no kernel image is available\nat line 7")
        return Built("cpu")

    with pytest.warns(RuntimeWarning, match=r"cuda failed \(no kernel image is available\); it needs"):
        assert providers.of(providers.build(make, ("cuda", "cpu"), "It")) == "cpu"


@pytest.mark.parametrize(("has", "kind"), [(("cpu",), NotFoundError), (("cuda", "cpu"), EngineError)])
def test_whoever_asks_for_one_alone_gets_no_other(
    has: tuple[str, ...], kind: type[Exception], wheel: Callable[..., None]
) -> None:
    wheel(*has)
    with pytest.raises(kind, match=r"^The graph was to be computed by cuda alone\. The provider cuda .*\.$"):
        providers.build(silent, ("cuda",), "The graph")


def test_a_damaged_graph_is_not_blamed_on_the_provider() -> None:
    def make(own: list[str]) -> Any:
        raise ValueError(own)

    with pytest.raises(ValueError, match="CPUExecutionProvider"):
        providers.build(make, ("cpu",), "It")


def test_a_session_says_what_it_lacks() -> None:
    elsewhere, alone = (Profile(stated=(("providers", names),)) for names in (("coreml", "cpu"), ("coreml",)))
    if "CoreMLExecutionProvider" in runtime().get_available_providers():
        pytest.skip("this machine has CoreML")
    with pytest.warns(RuntimeWarning, match="provider coreml .* cpu does the work"):
        assert Session(graphs.stack(), elsewhere).provider == "cpu"
    with pytest.raises(NotFoundError, match="computed by coreml alone"):
        Session(graphs.stack(), alone)


def test_what_works_here_is_tried_in_a_process_of_its_own() -> None:
    found = providers.survey()
    assert list(found) == list(PROVIDERS)
    assert found["cpu"] == ""
    for name, known in PROVIDERS.items():
        if known.own not in runtime().get_available_providers():
            assert found[name] == ABSENT


def test_trying_may_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    found = providers.survey()
    assert found.pop("cpu") == ""
    assert set(found.values()) == {"could not be tried: trying it ended the process"}


def test_what_can_be_had_is_resolved_before_anything_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(providers, "survey", lambda: dict.fromkeys(PROVIDERS, ABSENT) | {"cpu": "", "cuda": SILENT})
    assert providers.usable("openvino,cpu", said.append) == ("cpu",)
    assert len(said) == 1
    assert "onnxruntime-openvino" in said[0]
    assert providers.usable("auto", said.append) == ("cpu",)
    assert len(said) == 2  # nobody named the others
    assert "cuda did not start" in said[1]
    with pytest.raises(NotFoundError, match="provider cuda did not start"):
        providers.usable("cuda", said.append)


def test_the_cpu_alone_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "survey", lambda: pytest.fail("a process was started"))
    assert providers.usable("cpu", print) == ("cpu",)


def test_a_wheel_takes_the_place_of_the_one_that_is_there() -> None:
    told = providers.swap("cuda")
    assert f"pip uninstall -y {' '.join(providers.installed())} && " in told
    assert told.endswith("pip install 'onnxruntime-gpu[cuda,cudnn]'")


def test_one_for_another_system_has_no_wheel_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert providers._sentence("directml", ABSENT) == "The provider directml is not for this system (linux)."
