"""`lowvox config`, as a real process in an empty home."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("home")


def config(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from lowvox.commands import main; main()", "config", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_path_says_where_and_whether(home: Path) -> None:
    result = config("path")
    assert result.stdout.strip() == str(home / "config" / "config.toml")
    assert "lowvox config init" in result.stderr
    assert json.loads(config("path", "--json").stdout) == {"path": result.stdout.strip(), "exists": False}
    assert config("path", "--quiet").stderr == ""


def test_show_gives_value_and_source(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("[speech]\nrate = 2\n", encoding="utf-8")
    monkeypatch.setenv("LOWVOX_OUTPUT_MODE", "clipboard")
    lines = {line.split()[0]: line.split()[1:] for line in config("show").stdout.splitlines()}
    assert lines["speech.rate"] == ["2.0", "file"]
    assert lines["output.mode"] == ['"clipboard"', "environment"]
    assert lines["recognition.punctuation_enabled"] == ["true", "default"]
    assert lines["memory.budget"] == ["not", "set", "default"]
    shown = json.loads(config("show", "--json").stdout)["settings"]
    assert {"key": "speech.rate", "value": 2.0, "source": "file"} in shown
    assert {"key": "memory.budget", "value": None, "source": "default"} in shown


def test_show_reports_a_broken_file(home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("[audio]\nlanguage = \n", encoding="utf-8")
    result = config("show")
    assert result.returncode == 2
    assert "line 2" in result.stderr
    assert "Traceback" not in result.stderr


def test_init_writes_a_file_that_changes_nothing(home: Path) -> None:
    result = config("init")
    assert result.returncode == 0
    file = Path(result.stdout.strip())
    assert list(file.parent.iterdir()) == [file]
    values = json.loads(config("show", "--json").stdout)["settings"]
    assert {value["source"] for value in values} == {"default"}
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("# rate = 1.0", "rate = 3"), encoding="utf-8")
    assert {"key": "speech.rate", "value": 3.0, "source": "file"} in json.loads(config("show", "--json").stdout)[
        "settings"
    ]


def test_init_never_overwrites(home: Path) -> None:
    first = json.loads(config("init", "--json").stdout)
    Path(first["path"]).write_text("# mine\n", encoding="utf-8")
    result = config("init")
    assert result.returncode == 2
    assert Path(first["path"]).read_text(encoding="utf-8") == "# mine\n"


def test_init_says_why_it_cannot_write(home: Path) -> None:
    home.write_text("a file where the folder would be", encoding="utf-8")
    result = config("init")
    assert result.returncode == 1
    assert "could not be written" in result.stderr


@pytest.mark.parametrize("name", ["path", "show", "init"])
def test_help_has_an_example(name: str) -> None:
    assert f"Example: lowvox config {name}" in config(name, "--help").stdout
