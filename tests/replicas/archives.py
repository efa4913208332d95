"""Archives for tests: of a folder, and of hostile kinds that no honest packer writes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Compression = Literal["gz", "xz", "bz2"] | None


def zipped(content: Path | dict[str, bytes], top: str = "") -> bytes:
    """Return a zip file of a folder, or of names as they are given, below the folder `top`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _files(content).items():
            archive.writestr(top + name, data)
    return out.getvalue()


def tarred(content: Path | dict[str, bytes], top: str = "", kind: Compression = None) -> bytes:
    """Return a tar file, compressed as `kind` says."""
    members = [(tarfile.TarInfo(top + name), data) for name, data in _files(content).items()]
    return tar_of(members, kind)


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], kind: Compression = None) -> bytes:
    """Return a tar file of any members, links and devices too."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{kind}" if kind else "w") as archive:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _files(content: Path | dict[str, bytes]) -> dict[str, bytes]:
    if isinstance(content, dict):
        return content
    return {str(file.relative_to(content)): file.read_bytes() for file in content.rglob("*") if file.is_file()}
