"""The store tells what is there, and whether each is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DamagedError, NotFoundError
from lowvox.models import install, store
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path


def test_empty(home: Path) -> None:
    assert store.installed() == []


def test_by_hand_and_by_lowvox(home: Path, tmp_path: Path) -> None:
    build(store.folder() / "vosk-model-small-de-9.9")
    install.bring(build(tmp_path / "mine"))
    german, mine = sorted(store.installed(), key=lambda found: found.name, reverse=True)
    assert (german.name, german.languages, german.sha256, german.problem) == (
        "vosk-model-small-de-9.9",
        ("de",),
        None,
        None,
    )
    assert (mine.name, mine.engine, mine.languages, mine.problem) == ("mine", "vosk", (), None)
    assert mine.size == sum(file.stat().st_size for file in (tmp_path / "mine").rglob("*") if file.is_file())


def test_installs_under_way_are_not_seen(home: Path) -> None:
    build(store.folder() / ".new-abc" / "model")
    (store.folder() / "file").write_text("")
    assert store.installed() == []


@pytest.mark.parametrize("lost", ["am/final.mdl", "graph/HCLG.fst", "conf/mfcc.conf"])
def test_a_half_copied_one_names_the_file(home: Path, lost: str) -> None:
    (build(store.folder() / "half") / lost).unlink()
    (found,) = store.installed()
    assert found.problem
    assert lost in found.problem


def test_a_shortened_file_is_noticed_by_the_receipt(home: Path, tmp_path: Path) -> None:
    found = install.bring(build(tmp_path / "mine"))
    (found.path / "graph" / "words.txt").write_text("<eps> 0\n")
    (again,) = store.installed()
    assert again.problem
    assert "pull it again" in again.problem


def test_something_else(home: Path) -> None:
    (store.folder() / "photos").mkdir(parents=True)
    (found,) = store.installed()
    assert found.problem
    assert "no model" in found.problem
    with pytest.raises(NotFoundError, match="no model that lowvox knows"):
        store.recognise(found.path)


def test_a_damaged_receipt_counts_as_none(home: Path, tmp_path: Path) -> None:
    found = install.bring(build(tmp_path / "mine"))
    (found.path / store.RECEIPT).write_text("{")
    (again,) = store.installed()
    assert again.problem is None


def test_digest_changes_with_the_files_and_not_with_the_receipt(home: Path, tmp_path: Path) -> None:
    found = install.bring(build(tmp_path / "mine"))
    first = store.digest(found.path)
    (found.path / store.RECEIPT).write_text("other")
    assert store.digest(found.path) == first
    (found.path / "graph" / "words.txt").write_text("<eps> 0\n")
    second = store.digest(found.path)
    (found.path / "graph" / "words.txt").rename(found.path / "graph" / "more.txt")
    assert len({first, second, store.digest(found.path)}) == 3


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("vosk-model-small-en-us-0.15", ("en", "en-us")),
        ("vosk-model-small-cn-9", ("zh", "cn")),
        ("vosk-model-uk-v9", ("uk", "ua")),
        ("vosk-model-small-en-us-mine", ("en", "en-us")),
        ("vosk-model-nl-spraak", ("nl",)),
        ("vosk-model-tts-ru-0.7-multi", ("ru",)),
        ("mine", ()),
    ],
)
def test_languages_of(name: str, languages: tuple[str, ...]) -> None:
    assert store.languages_of(name) == languages


def test_recognise_names_what_is_missing(tmp_path: Path) -> None:
    (build(tmp_path / "model") / "conf" / "model.conf").unlink()
    with pytest.raises(DamagedError, match=r"conf/model\.conf missing"):
        store.recognise(tmp_path / "model")
