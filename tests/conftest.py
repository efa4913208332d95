"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for lowvox, so that a test sees no settings, models or measurements but its own."""
    monkeypatch.setenv("LOWVOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded speech beside the checkout; a test that needs it is skipped where it is not."""
    folder = SHARED / "data" / "speech"
    if not folder.is_dir():
        pytest.skip("needs the recorded speech in ../shared/data/speech, which is not on this machine")
    return folder
