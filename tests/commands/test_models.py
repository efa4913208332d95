"""`lowvox models`: what is here, what is damaged, what can be had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from lowvox.commands.models import command
from lowvox.errors import NotFoundError
from lowvox.models import records, store
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path


def models(*arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, prog_name="lowvox models")
    return result.stdout, result.stderr


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    out, _ = models("--json", *arguments)
    assert out.count("\n") == 1
    return {row["name"]: row for row in json.loads(out)["models"]}


def test_everything_once(home: Path) -> None:
    build(store.folder() / "vosk-model-small-de-0.15")
    build(store.folder() / "mine")
    found = rows()
    assert set(found) == {*records(), "mine"}
    german = found["vosk-model-small-de-0.15"]
    assert (german["state"], german["licence"], german["quality"]["value"]) == ("installed", "Apache-2.0", 13.75)
    assert german["size_mb"] < 1
    assert found["mine"]["state"] == "installed"
    assert found["silero-vad"]["state"] == "built in"
    assert found["vosk-model-small-ru-0.22"]["state"] == "available"
    assert found["vosk-model-small-ru-0.22"]["size_mb"] == 44.1


def test_one_language(home: Path) -> None:
    assert set(rows("-l", "pt_BR")) == {
        "espeak",
        "vosk-model-small-pt-0.3",
        "vosk-model-pt-fb-v0.1.1-20220516_2113",
    }
    with pytest.raises(NotFoundError, match="no model for the language 'xx'; it knows af, "):
        models("-l", "xx")


def test_table(home: Path) -> None:
    build(store.folder() / "vosk-model-small-de-0.15")
    out, _ = models("-l", "de")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "NAME LANGUAGE SIZE PUBLISHED QUALITY LICENCE"
    assert lines[2:4] == ["Installed", "vosk-model-small-de-0.15 de 0 MB 13.75 % WER on Tuda-de test Apache-2.0"]
    assert "Available (`lowvox pull NAME` brings one)" in lines
    assert any(line.startswith("espeak 1") and "languages" in line for line in lines)


def test_damage_is_told(home: Path) -> None:
    (build(store.folder() / "vosk-model-small-de-0.15") / "am" / "final.mdl").unlink()
    assert rows("-l", "de")["vosk-model-small-de-0.15"]["state"] == "damaged"
    out, err = models("-l", "de")
    assert "Damaged" in out
    assert "am/final.mdl missing" in err
    assert models("-q")[1] == ""
