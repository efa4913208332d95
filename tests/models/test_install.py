"""Installing is whole or not at all: from a server, from disk, with every part real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DamagedError, DownloadError, NotFoundError, UsageError
from lowvox.models import install, installed, store
from replicas.archives import tarred, zipped
from replicas.kaldi import build
from replicas.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A record without a published MD5, so that a stand-in can be served under its name.
NAME = "vosk-model-br-0.8"


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[Server]:
    with serving({f"{NAME}.zip": zipped(build(tmp_path / "source"), f"{NAME}/")}) as running:
        yield running


def left(home: Path) -> set[str]:
    """Return what lies about after an install, besides installed models."""
    return {path.name for folder in ("cache/downloads", "data/models") for path in (home / folder).glob("*")} - {NAME}


def test_pull(server: Server, home: Path) -> None:
    found = install.pull(NAME, mirror=f"{server.url}/")
    assert (found.name, found.engine, found.languages, found.problem) == (NAME, "vosk", ("br",), None)
    assert found.path == home / "data" / "models" / NAME
    assert found.sha256
    assert len(found.sha256) == 64
    assert installed() == [found]
    assert left(home) == set()
    assert found.path.stat().st_mode & 0o777 == (home / "data").stat().st_mode & 0o777


def test_pull_again_replaces(server: Server, home: Path) -> None:
    found = install.pull(NAME, mirror=server.url)
    (found.path / "graph" / "words.txt").unlink()
    assert installed()[0].problem
    install.pull(NAME, mirror=server.url)
    assert installed()[0].problem is None
    assert left(home) == set()


def test_the_first_sha256_holds(server: Server, home: Path, tmp_path: Path) -> None:
    first = install.pull(NAME, mirror=server.url)
    (tmp_path / "source" / "README").write_text("changed")
    server.files[f"{NAME}.zip"] = zipped(tmp_path / "source")
    with pytest.raises(DownloadError, match=f"not what was pulled first.*`lowvox rm {NAME}`"):
        install.pull(NAME, mirror=server.url)
    assert installed() == [first]
    assert left(home) == set()
    install.remove(NAME)
    assert install.pull(NAME, mirror=server.url).sha256 != first.sha256


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>log in first</html>", "no zip or tar file"),
        (zipped({"../evil": b"x"}), "leads outside"),
        (zipped({"photo.jpg": b"x"}), "no model that lowvox knows"),
        (zipped({"am/final.mdl": b"x", "conf/model.conf": b""}), r"conf/mfcc\.conf, graph/HCLG\.fst missing"),
    ],
)
def test_what_is_no_model_leaves_nothing(server: Server, home: Path, content: bytes, says: str) -> None:
    server.files[f"{NAME}.zip"] = content
    with pytest.raises((DamagedError, NotFoundError), match=says) as error:
        install.pull(NAME, mirror=server.url)
    assert f"{server.url}/{NAME}.zip" in str(error.value)
    assert str(home) not in str(error.value)
    assert installed() == []
    assert left(home) == set()


def test_a_cut_download_goes_on(server: Server, home: Path) -> None:
    server.cut = 500
    with pytest.raises(DownloadError, match="again to go on"):
        install.pull(NAME, mirror=server.url)
    assert left(home) == {f"{NAME}.part", f"{NAME}.part.note"}
    server.cut = None
    install.pull(NAME, mirror=server.url)
    assert server.asked == [None, "bytes=500-"]
    assert left(home) == set()


def test_pull_what_cannot_be_pulled(home: Path) -> None:
    with pytest.raises(UsageError, match="nothing to pull"):
        install.pull("silero-vad")
    with pytest.raises(NotFoundError, match=r"did you mean 'vosk-model-br-0\.8'"):
        install.pull("vosk-model-br-0.9")
    with pytest.raises(UsageError, match="no web address"):
        install.pull(NAME, mirror="file:///tmp")


def test_bring_a_folder(home: Path, tmp_path: Path) -> None:
    build(tmp_path / "outer" / "my-model", version=1)
    (tmp_path / "outer" / "my-model" / "linked").symlink_to(tmp_path / "outer" / "my-model" / "words.txt")
    found = install.bring(tmp_path / "outer", "mine")
    assert (found.name, found.sha256, found.problem) == ("mine", None, None)
    assert not (found.path / "linked").is_symlink()
    assert (tmp_path / "outer" / "my-model" / "final.mdl").exists()


@pytest.mark.parametrize(
    ("suffix", "packed"), [("zip", "zip"), ("tar.gz", "gz"), ("tgz", "gz"), ("tar.xz", "xz"), ("tar", None)]
)
def test_bring_an_archive(home: Path, tmp_path: Path, suffix: str, packed: str | None) -> None:
    source = build(tmp_path / "source")
    archive = tmp_path / f"vosk-model-small-de-mine.{suffix}"
    archive.write_bytes(zipped(source, "x/") if packed == "zip" else tarred(source, "x/", packed))  # type: ignore[arg-type]
    found = install.bring(archive)
    assert (found.name, found.languages, found.problem) == ("vosk-model-small-de-mine", ("de",), None)
    assert found.sha256
    assert archive.exists()


def test_bring_itself(home: Path, tmp_path: Path) -> None:
    first = install.bring(build(tmp_path / "mine"))
    again = install.bring(first.path)
    assert (again.size, again.problem) == (first.size, None)


@pytest.mark.parametrize("name", ["../evil", ".hidden", "a b", "", "espeak", "a/b", "x" * 101])
def test_names_that_cannot_be(home: Path, tmp_path: Path, name: str) -> None:
    source = build(tmp_path / "a model")
    with pytest.raises(UsageError, match="--name"):
        install.bring(source, name)
    assert not (home / "data").exists()


def test_bring_what_is_not_there(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file or folder"):
        install.bring(tmp_path / "nothing")
    (tmp_path / "photos").mkdir()
    with pytest.raises(NotFoundError, match="no model that lowvox knows"):
        install.bring(tmp_path / "photos")
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(DamagedError, match=r"note\.txt is no zip or tar file"):
        install.bring(tmp_path / "note.txt")
    assert left(home) == set()


def test_remove(server: Server, home: Path) -> None:
    install.pull(NAME, mirror=server.url)
    install.remove(NAME)
    assert installed() == []
    assert left(home) == set()
    with pytest.raises(NotFoundError, match="not installed"):
        install.remove(NAME)


def test_remove_a_download_that_was_cut(server: Server, home: Path) -> None:
    server.cut = 500
    with pytest.raises(DownloadError):
        install.pull(NAME, mirror=server.url)
    install.remove(NAME)
    assert left(home) == set()


def test_remove_what_cannot_be(home: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    store.folder().mkdir(parents=True)
    with pytest.raises(UsageError, match="comes with its engine"):
        install.remove("espeak")
    for name in ("nothere", "../../precious", "..", "."):
        with pytest.raises(NotFoundError, match="not installed"):
            install.remove(name)
    assert (tmp_path / "precious").exists()
