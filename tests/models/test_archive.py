"""Archives unpack whole, or not at all and never outside their folder."""

from __future__ import annotations

import io
import tarfile
import zipfile
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import DamagedError
from lowvox.models.archive import innermost, unpack
from replicas.archives import Compression, tar_of, tarred, zipped

if TYPE_CHECKING:
    from pathlib import Path


def _special(kind: bytes, name: str = "evil", target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


FILES = {"am/final.mdl": b"model", "conf/model.conf": b"", "README": b"hello"}


def put(folder: Path, content: bytes, **limits: int) -> Path:
    """Unpack `content` in `folder`/into, which a test looks at."""
    archive = folder / "archive"
    archive.write_bytes(content)
    into = folder / "into"
    into.mkdir()
    return unpack(archive, into, **limits)


def inside(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("top", ["", "vosk-model-x/", "a/b/"])
def test_zip(tmp_path: Path, top: str) -> None:
    assert inside(put(tmp_path, zipped(FILES, top))) == FILES


@pytest.mark.parametrize("kind", [None, "gz", "xz", "bz2"])
def test_tar(tmp_path: Path, kind: Compression) -> None:
    assert inside(put(tmp_path, tarred(FILES, "top/", kind))) == FILES


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    files = {"a": b"1", "inner.zip": zipped({"b": b"2"})}
    assert inside(put(tmp_path, tarred(files))) == files


def test_no_links_are_followed_inwards(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "link").symlink_to(tmp_path / "real")
    assert innermost(tmp_path / "only") == tmp_path / "only"


def as_link(name: str, target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, target)
    return out.getvalue()


HOSTILE = {
    "zip up": zipped({"../evil": b"x"}),
    "zip deep up": zipped({"a/b/../../../evil": b"x"}),
    "zip absolute": zipped({"/tmp/evil": b"x"}),
    "zip backslash": zipped({"..\\evil": b"x"}),
    "zip drive": zipped({"C:evil": b"x"}),
    "zip link": as_link("evil", "/etc/passwd"),
    "zip file as folder": zipped({"a": b"x", "a/b": b"y"}),
    "tar up": tarred({"../evil": b"x"}),
    "tar absolute": tarred({"/evil": b"x"}),
    "tar symlink": tar_of([(_special(tarfile.SYMTYPE, target="/etc"), b"")]),
    "tar hardlink": tar_of([(_special(tarfile.LNKTYPE, target="../../archive"), b"")]),
    "tar device": tar_of([(_special(tarfile.CHRTYPE), b"")]),
    "tar fifo": tar_of([(_special(tarfile.FIFOTYPE), b"")]),
    "tar twice": tar_of([(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")]),
    "tar link then through it": tar_of(
        [(_special(tarfile.SYMTYPE, "d", "/tmp"), b""), (tarfile.TarInfo("d/evil"), b"x")]
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DamagedError, match="not unpacked"):
        put(tmp_path, content)
    assert not list(tmp_path.rglob("evil"))
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "into"}


def test_bombs(tmp_path: Path) -> None:
    """A hundred MB of zeros in 100 kB: more than small archives may unpack to."""
    zeros = {"zeros": bytes(100 << 20)}
    for number, content in enumerate((zipped(zeros), tarred(zeros, kind="gz"))):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(DamagedError, match="far more"):
            put(tmp_path / str(number), content)
        assert sum(map(len, inside(tmp_path / str(number) / "into").values())) <= 64 << 20


def test_caps(tmp_path: Path) -> None:
    many = tarred({str(number): b"" for number in range(11)})
    with pytest.raises(DamagedError, match="more than 10 files"):
        put(tmp_path, many, most_files=10)
    (tmp_path / "again").mkdir()
    with pytest.raises(DamagedError, match="far more"):
        put(tmp_path / "again", zipped({"a": b"x" * 600, "b": b"x" * 600}), most_bytes=1000)


def test_a_declared_size_is_only_a_claim(tmp_path: Path) -> None:
    """A zip whose directory says 5 bytes and whose data are 5000."""
    honest = zipped({"a": b"x" * 5000})
    lying = honest.replace((5000).to_bytes(4, "little"), (5).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(DamagedError, match="damaged"):
        put(tmp_path, lying)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "xz", "bz2"])
@pytest.mark.parametrize("kept", [0, 0.001, 0.02, 0.5, 0.9])
def test_truncated(tmp_path: Path, kind: Literal["zip", "tar", "gz", "xz", "bz2"], kept: float) -> None:
    noise = {"a": Random(1).randbytes(90_000), "b": Random(2).randbytes(90_000)}
    whole = zipped(noise) if kind == "zip" else tarred(noise, kind=None if kind == "tar" else kind)
    with pytest.raises(DamagedError, match="fetch it again"):
        put(tmp_path, whole[: int(len(whole) * kept)])


def test_encrypted(tmp_path: Path) -> None:
    out = bytearray(zipped({"a": b"x"}))
    out[6] |= 1
    out[out.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(DamagedError, match="damaged"):
        put(tmp_path, bytes(out))


@given(
    st.lists(st.tuples(st.text("ab./\\:é ", min_size=1, max_size=12), st.binary(max_size=9)), max_size=6),
    st.booleans(),
)
def test_whatever_it_is_called_it_stays_inside(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]], zip_: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    named = dict(files)
    content = zipped(named) if zip_ else tarred(named)
    with suppress(DamagedError):
        put(folder, content)
    assert {path.name for path in folder.iterdir()} == {"archive", "into"}


@given(st.binary(max_size=2000), st.integers(0, 3))
def test_any_bytes_are_refused_in_one_way(tmp_path_factory: pytest.TempPathFactory, noise: bytes, kind: int) -> None:
    """Noise after a real beginning reaches deep into each reader."""
    beginnings = [b"", zipped(FILES)[:60], tarred(FILES)[:700], tarred(FILES, kind="gz")[:40]]
    with pytest.raises(DamagedError):
        put(tmp_path_factory.mktemp("noise"), beginnings[kind] + noise)
