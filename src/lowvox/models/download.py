"""HTTP to a file, resumed where it was cut and verified when it is whole. Knows nothing of archives and models."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib import error, request
from urllib.parse import urlsplit

from lowvox import __version__
from lowvox.errors import DownloadError, LowvoxError, OutputError, UsageError
from lowvox.models.disk import MB, room, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lowvox.models.part import Part

    Progress = Callable[[float, float], None]

TIMEOUT_S = 30
_BLOCK = 1 << 18
_WEB = ("http", "https")


def fetch(
    url: str, part: Part, *, size: int, md5: str | None = None, progress: Progress = lambda _here, _length: None
) -> str:
    """Bring `url` to the file of `part` and return its SHA-256; `progress` gets the bytes here and those in all.

    `size` in bytes is exact where `md5` is given, else rounded. DownloadError keeps what arrived unless that is wrong;
    OutputError, when it cannot be written, keeps nothing; UsageError when `url` is no web address.
    """
    if urlsplit(url).scheme not in _WEB:
        raise UsageError(f"{url} is no web address; give one that begins with https:// or http://.")
    with writing(part.path.parent):
        part.path.parent.mkdir(parents=True, exist_ok=True)
        room(part.path.parent, size - part.held)
    try:
        with writing(part.path):
            _receive(url, part, size, exact=md5 is not None, progress=progress)
            return _verified(url, part, md5)
    except OutputError:
        with suppress(OSError):
            part.forget()
        raise


def _receive(url: str, part: Part, size: int, *, exact: bool, progress: Progress) -> None:
    """Fetch what is missing of `part`."""
    response = _ask(url, part)
    if response is None:
        return
    with response:
        here, total = _extent(url, part, response)
        most = size if exact else 2 * size
        if total is not None and (total > most or (exact and total != size)):
            raise DownloadError(f"{url} has {total} bytes where {size} are expected; try another --mirror.")
        if not here:
            part.begin(url, response.headers)
        with part.path.open("r+b" if here else "wb") as file:
            file.seek(here)
            for block in _blocks(url, response):
                here += file.write(block)
                progress(here, total or size)
                if here > most:
                    part.forget()
                    raise DownloadError(f"{url} does not end after the {size} bytes expected; try another --mirror.")
    if total is not None and here != total:
        raise DownloadError(
            f"{url} broke off after {here / MB:.1f} of {total / MB:.1f} MB; run the same command again to go on."
        )


def _ask(url: str, part: Part) -> Any:
    """Open `url` where `part` ends; None when nothing is left to fetch."""
    headers = {"User-Agent": f"lowvox/{__version__}"}
    validator = part.validator(url)
    if validator:
        headers |= {"Range": f"bytes={part.held}-", "If-Range": validator}
    try:
        return _opener().open(request.Request(url, headers=headers), timeout=TIMEOUT_S)  # noqa: S310  # checked in fetch
    except error.HTTPError as refusal:
        refusal.close()
        if refusal.code == 416 and validator:
            if refusal.headers.get("Content-Range", "") == f"bytes */{part.held}":
                return None
            part.forget()  # longer than the file: it is a part of something else
            return _ask(url, part)
        raise DownloadError(
            f"The server answers {refusal.code} ({refusal.reason}) for {url}; try again later or pass --mirror URL."
        ) from refusal
    except LowvoxError:
        raise
    except (OSError, HTTPException, ValueError) as failure:
        reason = getattr(failure, "reason", failure)
        raise DownloadError(
            f"{url} cannot be reached ({reason}); check the connection or pass --mirror URL."
        ) from failure


def _opener() -> request.OpenerDirector:
    """Return an opener that speaks HTTP and nothing else, so that a redirect to file: or ftp: leads nowhere."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _extent(url: str, part: Part, response: Any) -> tuple[int, int | None]:
    """Return where the answer begins in the file and how long the file is, as far as the server says."""
    length = response.headers.get("Content-Length", "")
    if response.status != 206:  # the whole file: the server ignores Range, or the file has changed
        return 0, int(length) if length.isdecimal() else None
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    here = part.held
    if span.partition("-")[0] != str(here):
        part.forget()
        raise DownloadError(f"{url} sent another part than was asked for; run the same command again to start over.")
    return here, int(total) if total.isdecimal() else None


def _blocks(url: str, response: Any) -> Iterator[bytes]:
    """Read the answer, block after block."""
    while True:
        try:
            block = response.read(_BLOCK)
        except (OSError, HTTPException) as failure:
            raise DownloadError(f"{url} broke off ({failure}); run the same command again to go on.") from failure
        if not block:
            return
        yield block


def _verified(url: str, part: Part, md5: str | None) -> str:
    """Return the SHA-256 of the whole file after comparing its published MD5."""
    with part.path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() if md5 else None
        if found != md5:
            part.forget()
            raise DownloadError(
                f"{url} arrived damaged (MD5 {found} instead of {md5}); run it again or try a --mirror."
            )
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()
