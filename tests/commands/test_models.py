"""`lowvox models`: what is here, what is damaged, what can be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from lowvox.commands.models import command
from lowvox.errors import NotFoundError
from lowvox.models import records, store
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path


Models = Callable[..., tuple[str, str]]


@pytest.fixture
def models(home: Path, capsys: pytest.CaptureFixture[str]) -> Models:
    def run(*arguments: str) -> tuple[str, str]:
        command.main(arguments, prog_name="lowvox models", standalone_mode=False)
        shown = capsys.readouterr()
        return shown.out, shown.err

    return run


def rows(models: Models, *arguments: str) -> dict[str, dict[str, Any]]:
    out, _ = models("--json", *arguments)
    assert out.count("\n") == 1
    return {row["name"]: row for row in json.loads(out)["models"]}


def test_everything_once(models: Models) -> None:
    build(store.folder() / "vosk-model-small-de-0.15")
    build(store.folder() / "mine")
    found = rows(models)
    assert set(found) == {*records(), "mine"}
    german = found["vosk-model-small-de-0.15"]
    assert (german["state"], german["licence"], german["quality"]["value"]) == ("installed", "Apache-2.0", 13.75)
    assert german["size_mb"] < 1
    assert found["mine"]["state"] == "installed"
    assert found["silero-vad"]["state"] == "built in"
    assert found["vosk-model-small-ru-0.22"]["state"] == "available"
    assert found["vosk-model-small-ru-0.22"]["size_mb"] == 44.1


def test_one_language(models: Models) -> None:
    assert set(rows(models, "-l", "pt_BR")) == {
        "espeak",
        "vosk-model-small-pt-0.3",
        "vosk-model-pt-fb-v0.1.1-20220516_2113",
    }
    with pytest.raises(NotFoundError, match="no model for the language 'xx'; it knows af, "):
        models("-l", "xx")


def test_table(models: Models) -> None:
    build(store.folder() / "vosk-model-small-de-0.15")
    out, _ = models("-l", "de")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "NAME LANGUAGE SIZE PUBLISHED QUALITY LICENCE"
    assert lines[2:4] == ["Installed", "vosk-model-small-de-0.15 de 0 MB 13.75 % WER on Tuda-de test Apache-2.0"]
    assert "Available (`lowvox pull NAME` brings one)" in lines
    assert any(line.startswith("espeak 1") and "languages" in line for line in lines)


def test_damage_is_told(models: Models) -> None:
    (build(store.folder() / "vosk-model-small-de-0.15") / "am" / "final.mdl").unlink()
    assert rows(models, "-l", "de")["vosk-model-small-de-0.15"]["state"] == "damaged"
    out, err = models("-l", "de")
    assert "Damaged" in out
    assert "am/final.mdl missing" in err
    assert models("-q")[1] == ""
