"""The front of the package: what importing costs, what is promised by name, and that the tables tell the truth."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

import lowvox
from lowvox.commands import COMMANDS
from lowvox.engines import ENGINES

ROOT = Path(__file__).parents[1]


def python(code: str) -> str:
    # A coverage measurement of the child would load what coverage needs.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=plain).stdout


@pytest.mark.parametrize(
    "code", ["import lowvox", "from lowvox.commands import _status; assert _status(['--help']) == 0"]
)
def test_the_front_loads_nothing_heavy(code: str) -> None:
    heavy = {"numpy", "onnxruntime", "soundfile", "soxr", "sounddevice", "msgspec", "sqlite3", "urllib.request"}
    told = python(f"{code}\nimport sys\nprint('loaded:', sorted({heavy} & set(sys.modules)))")
    assert told.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("name", lowvox.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(lowvox, name).__name__ == name
    assert name in dir(lowvox)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="speak"):
        lowvox.speak  # noqa: B018


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_of_the_registry_imports(name: str) -> None:
    module, _, attribute = ENGINES[name].at.partition(":")
    assert isinstance(getattr(import_module(module), attribute), type)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_the_table_says(name: str) -> None:
    command = import_module(f"lowvox.commands.{name}").command
    text = command.get_help(click.Context(command, info_name=f"lowvox {name}"))
    assert (command.help or "").splitlines()[0] == COMMANDS[name]
    assert "Example" in text
    assert f"lowvox {name} " in text.partition("Example")[2]


def test_the_notice_names_every_part() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (needs for extra, needs in project["optional-dependencies"].items() if extra != "dev")
    needs = [*project["dependencies"], *(need for group in extras for need in group)]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").split()
    assert [need for need in needs if re.split(r"[>=]", need)[0] not in notice] == []
