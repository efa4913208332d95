"""`lowvox leaks` on engines that are sound, and on one that leaks by a known amount."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lowvox.commands.leaks import command, subject
from lowvox.engines import ENGINES, Entry
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.models import store
from replicas.kaldi import build

TESTS = Path(__file__).parents[1]
Leaks = Callable[..., tuple[int, str]]


@pytest.fixture
def leaks(home: Path, capsys: pytest.CaptureFixture[str]) -> Leaks:
    def run(*arguments: object) -> tuple[int, str]:
        status = command.main([str(one) for one in arguments], prog_name="lowvox leaks", standalone_mode=False)
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a model whose engine keeps 1 MB of every utterance."""
    entry = Entry("recognizer", "replicas.naughty:Leaky", ("worker",), "click", None, "", "leaking")
    monkeypatch.setitem(ENGINES, "leaky", entry)
    monkeypatch.setitem(store._LAYOUTS, "leaky", f"{__name__}:layout")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    folder = tmp_path / "leaky-1"
    folder.mkdir()
    (folder / "leaky").touch()
    return folder


def layout(path: Path) -> None:
    if not (path / "leaky").exists():
        raise NotFoundError("not mine")


def test_a_leak_is_found_with_its_size_and_ends_in_status_1(leaks: Leaks, leaky: Path) -> None:
    status, out = leaks(leaky, "-n", 12, "--json")
    assert status == 1
    found = json.loads(out)
    assert (found["model"], found["engine"], found["verdict"]) == ("leaky-1", "leaky", "grows")
    growth = {row["lifetime"]: row for row in found["growth"]}
    assert set(growth) == {"load", "stream", "run", "worker"}
    for lifetime in ("load", "stream", "run"):
        assert growth[lifetime]["verdict"] == "grows"
        assert growth[lifetime]["kb_per_turn"] == pytest.approx(1024, rel=0.05)
    assert growth["worker"]["kb_per_turn"] < 100
    assert found["parts"][2]["resident_mb"] == pytest.approx(11, rel=0.05)
    assert abs(found["unattributed_mb"]) < 1


def test_a_sound_engine_by_its_name(leaks: Leaks, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the plot extra")
    status, out = leaks("silero-vad", "-n", 12, "--plot", tmp_path / "leaks.png")
    assert status == 0
    assert out.startswith("silero-vad: memory after each of 12 turns\n")
    assert "run one open stream" in out
    assert "worker" not in out  # it has none
    assert (tmp_path / "leaks.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_by_its_engine_its_name_and_its_folder(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No model of the engine 'vosk' is installed"):
        subject("vosk")
    mine = build(store.folder() / "mine")
    assert subject("vosk").path == subject("mine").path == subject(str(mine)).path == mine
    assert subject("pocketsphinx") == subject("pocketsphinx-en-us")
    (mine / "am" / "final.mdl").unlink()
    with pytest.raises(DamagedError, match=r"final\.mdl"):
        subject("vosk")


def test_what_cannot_be_is_refused_before_any_work(leaks: Leaks, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no model 'silerovad'; did you mean 'silero-vad'\?"):
        leaks("silerovad")
    with pytest.raises(UsageError, match=r"drawn as \.png"):
        leaks("silero-vad", "--plot", tmp_path / "leaks.html")
    with pytest.raises(NotFoundError, match=r"not installed; run `lowvox pull"):
        leaks("vosk-model-small-de-0.15")
