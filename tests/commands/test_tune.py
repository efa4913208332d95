"""`lowvox tune`: what it says, what it keeps, and what cannot be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lowvox.commands.tune import command
from lowvox.errors import BudgetError, NotFoundError, UsageError
from lowvox.memory import footprints, measure, pace, tuned
from lowvox.memory.stated import Session
from lowvox.models import find
from lowvox.types import Choice, Footprint

MB = 2**20
Tune = Callable[..., tuple[object, str, str]]


@pytest.fixture
def tune(home: Path, capsys: pytest.CaptureFixture[str]) -> Tune:
    def run(*arguments: object) -> tuple[object, str, str]:
        status = command.main([str(one) for one in arguments], prog_name="lowvox tune", standalone_mode=False)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Choice]:
    """Figures instead of measuring: "varied" is faster, "no-arena" smaller."""
    asked: list[Choice] = []
    peaks = {"default": 50, "varied": 50, "no-arena": 30}
    paces = {"default": 0.2, "varied": 0.1, "no-arena": 0.4}

    def footprint(choice: Choice, *_: object) -> Footprint:
        asked.append(choice)
        return Footprint(peaks[choice.profile.name] * MB, 0, 0, 0.1)

    monkeypatch.setattr(measure, "footprint", footprint)
    monkeypatch.setattr(pace, "rtf", lambda choice, **_: paces[choice.profile.name])
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    return asked


def found(stated: Session = ()) -> list[str]:
    return [way.name for way in tuned.profiles(find("punctuator", name="lowvox-te"), "onnxruntime", stated, None, 8)]


def test_a_model_is_tuned_and_forgotten(tune: Tune, quick: list[Choice]) -> None:
    _, out, err = tune("lowvox-te", "--threads", "1")
    head, *lines = out.splitlines()
    assert head.split() == ["profile", "threads", "window", "runs", "in", "peak", "MB", "RTF", "+-", "load", "s"]
    assert lines[0].split() == ["*>", "varied", "1", "-", "lowvox's", "process", "50.0", "0.1", "0", "%", "0.10"]
    assert lines[1].split()[:2] == ["u", "default"]
    assert lines[2].split()[:2] == ["*", "no-arena"]
    assert lines[-1] == "It will run as varied, 1 thread: 0.50 x the time and 1.00 x the peak of the usual way."
    assert err == ""
    assert found() == ["varied", "no-arena"]
    assert tune("lowvox-te", "--forget")[1] == "lowvox-te runs as usual again.\n"
    assert tune("lowvox-te", "--forget")[1] == "lowvox-te was not tuned.\n"
    assert found() == []


def test_footprints_are_in_the_ledger_afterwards(tune: Tune, quick: list[Choice]) -> None:
    tune("lowvox-te", "--threads", "1")
    known = footprints.Footprints().known(Choice(find("punctuator", name="lowvox-te"), placement="in-process"))
    assert known == Footprint(50 * MB, 0, 0, 0.1)
    measured = len(quick)
    tune("lowvox-te", "--threads", "1")
    assert len(quick) == measured


def test_within_a_budget_the_fastest_that_fits(tune: Tune, quick: list[Choice]) -> None:
    base = footprints.Footprints().base // MB
    _, out, _ = tune("lowvox-te", "--threads", "1", "--budget", f"{base + 45}MB", "--json")
    told = json.loads(out)
    assert (told["model"], told["engine"], told["stored"], told["failed"]) == ("lowvox-te", "lowvox-te", True, [])
    assert [row["profile"] for row in told["rows"] if row["chosen"]] == ["no-arena"]
    assert {row["profile"] for row in told["rows"] if row["front"]} == {"varied", "no-arena"}
    assert [row["profile"] for row in told["rows"] if row["usual"]] == ["default"]
    assert all({"peak_mb", "resident_mb", "rtf", "spread", "load_s", "runs"} <= set(row) for row in told["rows"])
    with pytest.raises(BudgetError, match=r"needs \d+ MB at its peak and the budget is 20 MB; give it --budget"):
        tune("lowvox-te", "--threads", "1", "--budget", "20MB")


def test_what_the_settings_state_stays(tune: Tune, quick: list[Choice], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_ONNX_ENABLE_MEM_PATTERN", "false")
    monkeypatch.setenv("LOWVOX_RECOGNITION_THREADS", "1")
    tune("lowvox-te")
    stated = (("enable_mem_pattern", False),)
    assert {choice.profile.stated for choice in quick} == {stated}
    assert {choice.profile.threads for choice in quick} == {1}
    assert (found(), found(stated)) == ([], ["varied", "no-arena"])


def test_what_cannot_be_kept_is_said(tune: Tune, quick: list[Choice], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned, "keep", lambda *_: False)
    _, _, err = tune("lowvox-te", "--threads", "1")
    assert "could not be kept" in err


def test_nothing_to_tune(tune: Tune, home: Path) -> None:
    assert tune("silero-vad")[:2] == (None, "There is nothing to tune: silero-vad runs in one way only.\n")
    assert json.loads(tune("silero-vad", "--json")[1])["rows"] == []


def test_an_engine_with_places_alone_is_measured_and_nothing_kept(tune: Tune, quick: list[Choice]) -> None:
    _, out, err = tune("pocketsphinx")
    assert [choice.placement for choice in quick] == ["worker", "in-process"]
    assert "is the best there is" in out
    assert "Nothing was changed" in err


def test_a_picture(tune: Tune, quick: list[Choice], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the plot extra")
    tune("lowvox-te", "--threads", "1", "--plot", tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_is_refused_before_any_work(tune: Tune, quick: list[Choice], tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no model 'lowvoxte'"):
        tune("lowvoxte")
    for wrong in ("0", "x", "1,", "100000"):
        with pytest.raises(UsageError, match=r"whole numbers from 1 to \d+ with commas between"):
            tune("lowvox-te", "--threads", wrong)
    with pytest.raises(UsageError, match=r"drawn as \.png"):
        tune("lowvox-te", "--plot", tmp_path / "front.html")
    with pytest.raises(UsageError):
        tune("lowvox-te", "--budget", "much")
    assert quick == []


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="measures with what Linux tells")
def test_a_shipped_model_is_tuned_for_real(tune: Tune, home: Path) -> None:
    _, out, _ = tune("lowvox-te", "--threads", "1", "--json", "-q")
    rows = json.loads(out)["rows"]
    assert {row["profile"] for row in rows} == {"default", "no-arena", "varied"}
    assert all(row["peak_mb"] > 10 and row["rtf"] > 0 for row in rows)
    assert found()
