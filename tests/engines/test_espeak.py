"""eSpeak NG, always in a process of its own: the library is global and GPL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lowvox.errors import NotFoundError

loader = pytest.importorskip("espeakng_loader", reason="needs the extra `espeak`")

PRELUDE = """
import json
from lowvox.engines import create
from lowvox.types import Model, Profile
def seconds(text, **options):
    stream = resident.open(**options)
    return sum(map(len, stream.speak(text))) / 2 / stream.rate
resident = create("espeak").load(Model("espeak", "espeak", "synthesizer", ()), Profile())
"""


def start(body: str, path: Path | None) -> subprocess.CompletedProcess[str]:
    """Run a script; `path` goes before the installed packages."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    script = [sys.executable, "-c", PRELUDE + dedent(body)]
    return subprocess.run(script, capture_output=True, encoding="utf-8", check=False, env=environment)


def run(body: str, path: Path | None = None) -> Any:
    """Run a script that prints one JSON value."""
    done = start(body, path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def error(body: str, path: Path | None = None) -> str:
    """Run a script that must fail; return its last line, which names the error."""
    done = start(body, path)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_speaks_every_language_that_it_lists() -> None:
    silent = run("""
        from lowvox.engines.espeak.voices import languages
        print(json.dumps([code for code in languages() if seconds("1 2 3 a o", language=code) < 0.5]))
    """)
    assert silent == []


def test_gives_short_blocks_of_whole_samples_in_sound_not_silence() -> None:
    sizes, loudest = run("""
        import array
        blocks = list(resident.open(language="en").speak("This is a sentence of some length, spoken as it should be."))
        print(json.dumps([[len(block) for block in blocks], max(array.array("h", b"".join(blocks)))]))
    """)
    assert len(sizes) > 3
    assert max(sizes) <= 16384
    assert not any(size % 2 for size in sizes)
    assert loudest > 3000


def test_rate_pitch_volume_and_voice_are_heard() -> None:
    heard = run("""
        import numpy as np
        text = "The quick brown fox jumps over the lazy dog, and then it rests."
        def sound(**options):
            pcm = np.frombuffer(b"".join(resident.open(**options).speak(text)), "<i2").astype(float)
            echo = np.fft.irfft(abs(np.fft.rfft(pcm, 2 * len(pcm))) ** 2)[50:400]  # 55 to 441 Hz
            return {"length": len(pcm), "peak": pcm.max(), "pitch": 22050 / (50 + int(echo.argmax()))}
        print(json.dumps({
            "normal": sound(), "fast": sound(rate=4.0), "slow": sound(rate=0.5), "quiet": sound(volume=0.5),
            "silent": sound(volume=0.0), "high": sound(pitch=2.0), "woman": sound(voice="+f3"),
            "american": sound(voice="en-us"), "country": sound(language="en_ZZ"), "again": sound(),
        }))
    """)
    normal = heard["normal"]
    assert heard["fast"]["length"] < 0.4 * normal["length"]
    assert heard["slow"]["length"] > 1.6 * normal["length"]
    assert heard["quiet"]["peak"] < 0.7 * normal["peak"]
    assert heard["silent"]["peak"] == 0
    assert heard["high"]["pitch"] > 1.2 * normal["pitch"]
    assert heard["woman"]["pitch"] > 1.2 * normal["pitch"]
    assert heard["american"]["length"] != pytest.approx(normal["length"], rel=0.01)
    # espeak adds a little chance to every sound, so that no two are the same to the bit.
    for same in ("country", "again"):
        assert heard[same]["length"] == pytest.approx(normal["length"], rel=0.005)
        assert heard[same]["peak"] == pytest.approx(normal["peak"], rel=0.1)


def test_markup_is_spoken_as_text() -> None:
    marked, plain, quick = run("""
        print(json.dumps([seconds("<b>bold</b>"), seconds("bold"), seconds("<break time='9s'/>")]))
    """)
    assert marked > plain + 0.5
    assert quick < 9


def test_odd_text_is_no_trouble() -> None:
    lengths = run(r"""
        texts = ["", " ", "***", "\0", "a\0b", "\ud800", "😀", "«»", "9" * 400, "x" * 400, "[[h@loU]]", "\u200b"]
        print(json.dumps([seconds(text) for text in texts]))
    """)
    assert lengths[4] > lengths[3]


def test_threads_take_turns() -> None:
    assert run("""
        from concurrent.futures import ThreadPoolExecutor
        jobs = [("en", "One sentence."), ("de", "Ein anderer Satz."), ("ru", "Третье предложение.")] * 8
        def length(job): return seconds(job[1], language=job[0])
        with ThreadPoolExecutor(4) as pool: together = list(pool.map(length, jobs))
        alone = [length(job) for job in jobs]
        print(json.dumps(all(abs(a - b) < 0.02 for a, b in zip(together, alone))))
    """)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("rate=0.49", "UsageError: The rate must be from 0.5 to 4 (1 is normal), not 0.49."),
        ("pitch=2.1", "UsageError: The pitch must be from 0 to 2"),
        ("volume=float('nan')", "UsageError: The volume must be from 0 to 2"),
        ("language='german'", "NotFoundError: espeak does not speak 'german' (close are de = German); `lowvox say"),
        ("voice='en-uk'", "en-us = English (America)"),
        ("voice='en+f9'", "NotFoundError: espeak has no voice variant 'f9'; try f"),
    ],
)
def test_refuses_in_one_sentence(options: str, says: str) -> None:
    assert says in error(f"resident.open({options})")


@pytest.mark.parametrize("folder", ["with a space and é", "long" * 50])
def test_works_from_any_folder(tmp_path: Path, folder: str) -> None:
    where = tmp_path / folder
    where.mkdir()
    (where / "espeakng_loader").symlink_to(Path(loader.__file__).parent)
    used, lasts = run("import espeakng_loader\nprint(json.dumps([espeakng_loader.__file__, seconds('Hello.')]))", where)
    assert Path(used).is_relative_to(where)
    assert lasts > 0.5


def test_damage_is_named_with_the_remedy(tmp_path: Path) -> None:
    package = tmp_path / "espeakng_loader"
    package.mkdir()
    for name in ("__init__.py", Path(loader.get_library_path()).name):
        (package / name).symlink_to(Path(loader.__file__).parent / name)
    remedy = "run `pip install --force-reinstall espeakng-loader`."
    assert error("", tmp_path).endswith(remedy)
    (package / "espeak-ng-data").mkdir()
    assert "DamagedError" in error("", tmp_path)
    assert error("", tmp_path).endswith(remedy)
    (package / Path(loader.get_library_path()).name).unlink()
    assert "DamagedError: The espeak library cannot be loaded" in error("", tmp_path)


def test_is_no_part_of_this_process() -> None:
    """Listing the voices loads no library."""
    from lowvox.engines.espeak.voices import find, languages

    assert {"en", "de", "es", "ru", "vi", "en-us"} <= set(languages())
    assert languages()["de"].name == "German"
    assert find("pt-AO", None) == "roa/pt"
    with pytest.raises(NotFoundError):
        find("", None)
    maps = Path("/proc/self/maps")
    assert not maps.exists() or "espeak" not in maps.read_text(encoding="utf-8")
