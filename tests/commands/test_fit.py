"""`lowvox fit`: the plan before anything loads, as processes that a script could run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from lowvox.commands.fit import command, parsed
from lowvox.errors import UsageError

Fit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fit(measured: Path, capsys: pytest.CaptureFixture[str]) -> Fit:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = command.main(arguments, prog_name="lowvox fit", standalone_mode=False)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def told(fit: Fit, *arguments: str) -> dict[str, Any]:
    _, out, _ = fit("--json", "--roles", "vad", *arguments)
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_plan_in_plain_words(fit: Fit) -> None:
    status, out, _ = fit("--budget", "400MB", "--roles", "vad,recognizer", "-l", "en")
    assert status == 0
    assert out.startswith("needs ")
    assert " MB of 400 at its peak; leaves " in out
    assert "pocketsphinx-en-us" in out


def test_json_and_the_smallest_budget_is_enough(fit: Fit) -> None:
    found = told(fit, "--budget", "400")
    assert (found["fits"], found["budget_mb"], found["gives"]) == (True, 400.0, [])
    assert [part["model"] for part in found["parts"]] == ["silero-vad"]
    parts = sum(part["peak_mb"] for part in [*found["parts"], *found["base"]])
    assert found["peak_mb"] == pytest.approx(parts, abs=0.5)
    assert told(fit, "--budget", f"{found['smallest_budget_mb']}MB")["fits"]


def test_nothing_fits(fit: Fit) -> None:
    status, out, err = fit("--budget", "5MB", "--roles", "vad", "--json")
    assert status == 3
    found = json.loads(out)
    assert not found["fits"]
    assert f"Give it --budget {found['smallest_budget_mb']}MB or more" in err
    assert "nothing was loaded" in err.splitlines()[-1]


def test_without_a_budget(fit: Fit) -> None:
    assert told(fit)["budget_mb"] is None


def test_the_budget_of_the_settings(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_MEMORY_LIMIT_MB", "401")
    assert told(fit)["budget_mb"] == 401.0


def test_more_streams_take_more(fit: Fit) -> None:
    one, three = told(fit), told(fit, "--streams", "3")
    assert three["parts"][0]["streams"] == 3
    assert three["parts"][0]["peak_mb"] > one["parts"][0]["peak_mb"]


def test_roles() -> None:
    assert parsed("synthesizer, Recognizer,recognizer") == ("recognizer", "synthesizer")
    for wrong in ("vda", "", "vad,,recognizer", "x" * 500):
        with pytest.raises(UsageError, match="is no role; --roles takes vad, recognizer") as caught:
            parsed(wrong)
        assert len(str(caught.value)) < 140


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("--budget", "0"), 2, "'0' is not a memory size: write it as 300MB, 1.5GB or auto."),
        (("--budget", "-5MB"), 2, "'-5MB' is not a memory size"),
        (("--budget", "12 parsecs"), 2, "'12 parsecs' is not a memory size"),
        (("--budget", "1e999"), 2, "'1e999' is not a memory size"),
        (("--budget", "9999GB"), 2, "is more than "),
        (("--roles", "vda"), 2, "'vda' is no role"),
        (("-l", "fr", "--roles", "punctuator"), 4, "'fr'"),
        (("-m", "qqqqqqqq"), 4, "There is no model 'qqqqqqqq'"),
        (("-l", "de", "--roles", "recognizer"), 4, "run `lowvox pull vosk-model-small-de-0.15`"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(
    home: Path, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    code = "from lowvox.commands import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", *arguments], capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_streams_at_all(home: Path) -> None:
    with pytest.raises(click.BadParameter, match="0 is not in the range"):
        command.main(["--streams", "0"], standalone_mode=False)
