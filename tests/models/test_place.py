"""The store's folder changes whole, one process at a time, and recovers from kills."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import OutputError
from lowvox.models import place

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_replace_and_take_away(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with place.beside(tmp_path) as ready:
            (ready / "file").write_text(content)
            place.replace(tmp_path / "model", ready)
        assert (tmp_path / "model" / "file").read_text() == content
    assert names(tmp_path) == {"model"}
    place.take_away(tmp_path / "model")
    assert names(tmp_path) == set()


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), place.beside(tmp_path) as ready:
        (ready / "file").write_text("half")
        raise ZeroDivisionError
    assert names(tmp_path) == set()


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        place.alone(tmp_path),
        pytest.raises(OutputError, match="Another lowvox"),
        place.alone(tmp_path),
    ):
        pass
    with place.alone(tmp_path):
        pass


def test_a_kill_between_the_renames_gives_the_old_one_back(tmp_path: Path) -> None:
    for name in (".model.old", ".new-abc", ".gone-abc", ".other.old", "other"):
        (tmp_path / name / "inner").mkdir(parents=True)
    with place.alone(tmp_path):
        assert names(tmp_path) == {"model", "other"}
