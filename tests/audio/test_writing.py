"""Writing sound: every format read back by others, and nothing half-written whatever happens."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import wave
from io import BytesIO
from pathlib import Path

import pytest
import soundfile

from lowvox.audio.encoding import Wav
from lowvox.audio.writing import Writer
from lowvox.errors import LowvoxError, NotFoundError, OutputError, UsageError
from lowvox.types import Audio

NOISE = os.urandom(20000)
BLOCK = Audio(NOISE, 22050)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def write(path: Path, blocks: int = 3, format: str | None = None) -> None:  # noqa: A002
    with Writer(path, format) as writer:
        for _ in range(blocks):
            writer.write(BLOCK)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.WAV", "ä b.flac"])
def test_lossless_formats_come_back_to_the_bit(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    sound, rate = soundfile.read(tmp_path / name, dtype="int16")
    assert (sound.tobytes(), rate) == (NOISE * 3, 22050)
    assert names(tmp_path) == [name]


def test_ogg_keeps_the_length(tmp_path: Path) -> None:
    write(tmp_path / "a.ogg")
    info = soundfile.info(tmp_path / "a.ogg")
    assert (info.frames, info.samplerate, info.channels, info.format) == (30000, 22050, 1, "OGG")


def test_raw_is_nothing_but_samples(tmp_path: Path) -> None:
    write(tmp_path / "a.raw")
    write(tmp_path / "b", format="raw")
    assert (tmp_path / "a.raw").read_bytes() == (tmp_path / "b").read_bytes() == NOISE * 3


def test_the_wav_header_is_exact(tmp_path: Path) -> None:
    write(tmp_path / "a.bin", format="wav")
    with wave.open(str(tmp_path / "a.bin")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            22050,
            30000,
        )
    data = (tmp_path / "a.bin").read_bytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8


def test_a_wav_beyond_4_gb_says_until_the_end() -> None:
    file = BytesIO()
    wav = Wav(file, 22050, seekable=True)
    wav._size = 2**32 - 44
    wav.finish()
    assert file.getvalue()[4:8] == file.getvalue()[40:44] == b"\xff\xff\xff\xff"
    wav._size -= 2
    wav.finish()
    assert file.getvalue()[4:8] == (2**32 - 10).to_bytes(4, "little")


STREAM = """
from lowvox.audio.writing import Writer
from lowvox.types import Audio
with Writer("-", {format!r}) as writer:
    for _ in range({blocks}):
        writer.write(Audio(bytes(range(200)) * 100, 22050))
"""


def stream(format: str | None, blocks: int = 2, **options: object) -> subprocess.CompletedProcess[bytes]:  # noqa: A002
    script = [sys.executable, "-c", STREAM.format(format=format, blocks=blocks)]
    return subprocess.run(script, check=False, **({"capture_output": True} | options))  # type: ignore[call-overload, no-any-return]


def test_standard_output_is_a_wav_of_unknown_length() -> None:
    data = stream(None).stdout
    assert data[4:8] == data[40:44] == b"\xff\xff\xff\xff"
    sound, rate = soundfile.read(BytesIO(data), dtype="int16")
    assert (sound.tobytes(), rate) == (bytes(range(200)) * 200, 22050)
    assert stream("raw").stdout == sound.tobytes()


@linux
def test_a_full_standard_output_and_a_reader_that_leaves() -> None:
    with Path("/dev/full").open("wb") as full:
        done = stream(None, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert b"OutputError: standard output takes no more (No space left on device)" in done.stderr
    with subprocess.Popen(
        [sys.executable, "-c", STREAM.format(format=None, blocks=100)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as leaving:
        assert leaving.stdout is not None
        assert leaving.stderr is not None
        leaving.stdout.close()
        assert b"BrokenPipeError" in leaving.stderr.read()


def interrupted(target: Path, *, keep: bool) -> None:
    with Writer(target) as writer:
        writer.write(BLOCK)
        if keep:
            writer.keep()
        raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "raw"])
def test_an_error_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a.{suffix}"
    target.write_text("before", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        interrupted(target, keep=False)
    assert target.read_text(encoding="utf-8") == "before"
    assert names(tmp_path) == [target.name]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_what_is_done_can_be_kept(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / f"a.{suffix}", keep=True)
    assert soundfile.info(tmp_path / f"a.{suffix}").frames == 10000
    assert names(tmp_path) == [f"a.{suffix}"]


def test_no_sound_makes_no_file(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", blocks=0)
    assert names(tmp_path) == []


FULL = """
import os, sys
from lowvox.audio.writing import Writer
from lowvox.types import Audio
{limit}
with Writer(sys.argv[1]) as writer:
    for _ in range(200):
        writer.write(Audio(os.urandom(20000), 22050))
"""


def fill(path: Path, limit: str) -> str:
    script = [sys.executable, "-c", FULL.format(limit=limit), str(path)]
    return subprocess.run(script, capture_output=True, text=True, check=False).stderr


@linux
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "raw"])
def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a.{suffix}"
    complaint = fill(target, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))")
    assert complaint.splitlines()[-1].startswith(f"lowvox.errors.OutputError: {target} could not be written (File too")
    assert "cffi" not in complaint
    assert names(tmp_path) == []


@linux
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "raw"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        complaint = fill(disk / f"a.{suffix}", "")
        assert "could not be written (No space left on device)" in complaint.splitlines()[-1]
        assert "cffi" not in complaint
        assert names(disk) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@linux
def test_a_pipe_is_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe, format="raw")
    reader.join()
    assert read == [NOISE * 3]
    assert pipe.is_fifo()


@linux
def test_a_link_is_followed_and_permissions_are_the_usual(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "a.wav").symlink_to(tmp_path / "music" / "b.wav")
    write(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").is_symlink()
    other = tmp_path / "other"
    other.touch()
    assert stat.S_IMODE((tmp_path / "music" / "b.wav").stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize(
    ("target", "format", "error", "says"),
    [
        ("a.mp3", None, UsageError, "one of .wav, .flac, .ogg, .raw"),
        ("a", None, UsageError, "one of .wav"),
        ("-", "flac", UsageError, "choose one of wav, raw"),
        ("", "wav", UsageError, "is a folder; name a file in it"),
        ("no/a.wav", None, NotFoundError, "make it with `mkdir -p`"),
    ],
)
def test_refuses_before_any_work(
    tmp_path: Path,
    target: str,
    format: str | None,  # noqa: A002
    error: type[LowvoxError],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        Writer(target if target == "-" else tmp_path / target, format)
    assert names(tmp_path) == []


@linux
def test_a_place_that_refuses_is_named() -> None:
    with pytest.raises(OutputError, match=r"/proc/a\.wav could not be written"), Writer("/proc/a.wav"):
        pass


def test_one_file_has_one_rate(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.wav") as writer:
        writer.write(BLOCK)
        with pytest.raises(UsageError, match="holds sound at 22050"):
            writer.write(Audio(NOISE, 16000))
