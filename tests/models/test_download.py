"""Downloads against a real server on loopback, with the faults that servers and networks have."""

from __future__ import annotations

from hashlib import md5, sha256
from random import Random
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DownloadError, OutputError, UsageError
from lowvox.models import download
from lowvox.models.part import Part
from replicas.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = Random(0).randbytes(1_500_000)
MD5 = md5(BODY).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"model.zip": BODY}) as running:
        yield running


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return Part(tmp_path / "downloads" / "model.part")


def fetch(
    server: Server, part: Part, *, known: str | None = MD5, size: int = len(BODY), name: str = "model.zip"
) -> str:
    return download.fetch(f"{server.url}/{name}", part, size=size, md5=known)


def cut(server: Server, part: Part) -> None:
    """Let a download break off in the middle."""
    server.cut = 700_000
    with pytest.raises(DownloadError, match="again to go on"):
        fetch(server, part)
    server.cut = None
    assert part.held == 700_000


def test_whole(server: Server, part: Part) -> None:
    seen: list[tuple[float, float]] = []
    url = f"{server.url}/model.zip"
    found = download.fetch(
        url, part, size=len(BODY), md5=MD5, progress=lambda here, length: seen.append((here, length))
    )
    assert found == sha256(BODY).hexdigest()
    assert part.path.read_bytes() == BODY
    assert seen == sorted(seen)
    assert seen[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("validator", ["etag", "date", "weak"])
def test_goes_on_where_it_stopped(server: Server, part: Part, validator: str) -> None:
    server.validator = validator
    cut(server, part)
    fetch(server, part)
    assert server.asked == [None, "bytes=700000-"]
    assert part.path.read_bytes() == BODY


def test_starts_over_without_a_validator(server: Server, part: Part) -> None:
    server.validator = "none"
    cut(server, part)
    fetch(server, part)
    assert server.asked == [None, None]
    assert part.path.read_bytes() == BODY


def test_starts_over_from_another_server(server: Server, part: Part) -> None:
    cut(server, part)
    with serving({"model.zip": BODY}) as other:
        fetch(other, part)
        assert other.asked == [None]
    assert part.path.read_bytes() == BODY


def test_a_server_that_ignores_range(server: Server, part: Part) -> None:
    cut(server, part)
    server.ranges = False
    fetch(server, part)
    assert server.asked[-1] == "bytes=700000-"
    assert part.path.read_bytes() == BODY


def test_a_file_that_changed_meanwhile(server: Server, part: Part) -> None:
    cut(server, part)
    server.files["model.zip"] = changed = BODY[::-1]
    fetch(server, part, known=md5(changed).hexdigest())
    assert part.path.read_bytes() == changed


def test_nothing_is_left_to_fetch(server: Server, part: Part) -> None:
    """Killed after the last byte: the server says 416 to a part that is the whole."""
    fetch(server, part)
    assert fetch(server, part) == sha256(BODY).hexdigest()
    assert server.asked == [None, f"bytes={len(BODY)}-"]


def test_a_part_longer_than_the_file(server: Server, part: Part) -> None:
    cut(server, part)
    with part.path.open("ab") as file:
        file.write(BODY)
    fetch(server, part)
    assert part.path.read_bytes() == BODY


def test_a_server_that_sends_another_part(server: Server, part: Part) -> None:
    cut(server, part)
    server.wrong_range = True
    with pytest.raises(DownloadError, match="start over"):
        fetch(server, part)
    assert not part.held


def test_corruption(server: Server, part: Part) -> None:
    server.files["model.zip"] = BODY[:-1] + b"?"
    with pytest.raises(DownloadError, match="arrived damaged"):
        fetch(server, part)
    assert list(part.path.parent.iterdir()) == []


@pytest.mark.parametrize("known", [MD5, None])
def test_wrong_size(server: Server, part: Part, known: str | None) -> None:
    with pytest.raises(DownloadError, match="are expected"):
        fetch(server, part, known=known, size=500_000)
    assert not part.held


def test_rounded_size(server: Server, part: Part) -> None:
    fetch(server, part, known=None, size=1_000_000)
    assert part.path.read_bytes() == BODY


def test_a_server_that_tells_no_length(server: Server, part: Part) -> None:
    server.length = False
    fetch(server, part)
    assert part.path.read_bytes() == BODY


def test_a_file_without_an_end(server: Server, part: Part) -> None:
    server.length = False
    with pytest.raises(DownloadError, match="does not end"):
        fetch(server, part, known=None, size=300_000)
    assert not part.held


@pytest.mark.parametrize(("status", "name"), [(None, "nothere.zip"), (403, "model.zip"), (500, "model.zip")])
def test_refusals(server: Server, part: Part, status: int | None, name: str) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=f"answers {status or 404}"):
        fetch(server, part, name=name)


def test_nobody_there(part: Part) -> None:
    with serving({}) as gone:
        pass
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(gone, part)


def test_silence_ends_in_a_timeout(server: Server, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", 0.05)
    server.hold = 700_000
    with pytest.raises(DownloadError, match="again to go on"):
        fetch(server, part)
    assert 0 < part.held < len(BODY)


def test_a_redirect_on_the_web(server: Server, part: Part) -> None:
    with serving({}) as first:
        first.redirect = f"{server.url}/model.zip"
        fetch(first, part)
    assert part.path.read_bytes() == BODY


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_a_redirect_elsewhere(server: Server, part: Part, target: str) -> None:
    server.redirect = target
    with pytest.raises(DownloadError, match=r"not allowed|unknown url type"):
        fetch(server, part)
    assert not part.held


def test_endless_redirects(server: Server, part: Part) -> None:
    server.redirect = f"{server.url}/model.zip"
    with pytest.raises(DownloadError, match="answers 302"):
        fetch(server, part)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "nonsense", ""])
def test_only_the_web(part: Part, url: str) -> None:
    with pytest.raises(UsageError, match="no web address"):
        download.fetch(url, part, size=1)


def test_no_room(server: Server, part: Part) -> None:
    with pytest.raises(OutputError, match="MB free"):
        fetch(server, part, known=None, size=1 << 60)
    assert server.asked == []


def test_a_folder_that_cannot_be(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        fetch(server, Part(tmp_path / "file" / "model.part"))
