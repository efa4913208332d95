"""A stand-in for the server that models come from: real HTTP on loopback, with the faults that servers have."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Server:
    """What it serves, and how badly; `asked` collects the Range header of each request."""

    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    ranges: bool = True
    validator: str = "etag"  # or date, weak, none
    length: bool = True
    cut: int | None = None  # bytes after which the connection ends
    hold: int | None = None  # bytes after which it says nothing more until `released`
    redirect: str | None = None
    status: int | None = None
    wrong_range: bool = False
    asked: list[str | None] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def headers(self, content: bytes) -> dict[str, str]:
        """Return what lets a client recognise the same file again."""
        tag = f'"{md5(content).hexdigest()}"'
        return {
            "etag": {"ETag": tag},
            "weak": {"ETag": f"W/{tag}", "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
            "date": {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
            "none": {},
        }[self.validator]


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:  # http.server's name
        served = self.server.served
        served.asked.append(self.headers["Range"])
        if served.redirect:
            self._head(302, {"Location": served.redirect})
        elif served.status or self.path.lstrip("/") not in served.files:
            self.send_error(served.status or 404)
        else:
            self._file(served, served.files[self.path.lstrip("/")])

    def _file(self, served: Server, content: bytes) -> None:
        headers = served.headers(content)
        start = self._start(served, headers)
        if start and start >= len(content):
            self._head(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        if start is not None:
            shown = start + 1 if served.wrong_range else start
            headers["Content-Range"] = f"bytes {shown}-{len(content) - 1}/{len(content)}"
        body = content[start or 0 :]
        if served.length:
            headers["Content-Length"] = str(len(body))
        self._head(200 if start is None else 206, headers)
        stop = served.cut if served.cut is not None else served.hold
        self.wfile.write(body[:stop])
        if served.hold is not None:
            self.wfile.flush()
            served.released.wait(60)

    def _start(self, served: Server, headers: dict[str, str]) -> int | None:
        """Return where the asked part begins, if it may be sent as a part."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if not (served.ranges and match):
            return None
        return int(match[1]) if self.headers["If-Range"] in headers.values() else None

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Keep quiet."""


class _Listener(ThreadingHTTPServer):
    served: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is what some tests want."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """Serve files by name for the length of the block."""
    listener = _Listener(("127.0.0.1", 0), _Handler)
    served = listener.served = Server(files, f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        served.released.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
