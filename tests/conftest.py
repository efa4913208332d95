"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

# A slow machine is no failure.
hypothesis.settings.register_profile("lowvox", deadline=None)
hypothesis.settings.load_profile("lowvox")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for lowvox, so that a test sees no settings, models or measurements but its own."""
    monkeypatch.setenv("LOWVOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which every built-in model has been measured on this machine, once for all test processes."""
    from lowvox.memory.lock import locked

    # The folder above a test process's own is that of the whole run.
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    place = (tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()) / "measured"
    place.mkdir(exist_ok=True)
    with locked(place / "lock", patience_s=600):
        if not (place / "done").exists():
            _measure(place)
            (place / "done").touch()
    return place / "cache" / "ledger.sqlite"


def _measure(place: Path) -> None:
    from lowvox import models
    from lowvox.engines import available, entry
    from lowvox.memory.footprints import Footprints
    from lowvox.types import Choice

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWVOX_HOME", str(place))
        footprints = Footprints()
        footprints.measure_sound()
        for role in ("vad", "recognizer", "punctuator", "synthesizer"):
            model = models.find(role, "en")
            for placement in entry(model.engine).placements if available(model.engine) else ():
                footprints.of(Choice(model, entry(model.engine).ways(model)[0], placement))


@pytest.fixture
def measured(home: Path, ledger: Path) -> Path:
    """A home that is empty but for what was measured, for tests that are not about measuring."""
    (home / "cache").mkdir(parents=True)
    shutil.copy(ledger, home / "cache")
    return home


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded speech beside the checkout; a test that needs it is skipped where it is not."""
    folder = SHARED / "data" / "speech"
    if not folder.is_dir():
        pytest.skip("needs the recorded speech in ../shared/data/speech, which is not on this machine")
    return folder
