"""The script that checks a real Vosk model works: on the stand-in model and the clip that ships."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lowvox.audio
from replicas.kaldi import build

SCRIPT = Path(__file__).parents[1] / "scripts" / "verify_vosk.py"
CLIP = Path(lowvox.audio.__file__).with_name("clip.flac")


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("verify_vosk", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_verifies(home: Path, tmp_path: Path) -> None:
    build(tmp_path / "model")
    (tmp_path / "said.txt").write_text("Beep, beep! Beep.", encoding="utf-8")
    command = [sys.executable, *map(str, (SCRIPT, tmp_path / "model", CLIP, tmp_path / "said.txt"))]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["verdict"] == "verified", found
    assert (done.returncode, found["reference_words"], found["failed"]) == (0, 3, [])


def test_tells_what_differs(script: Any) -> None:
    said: list[dict[str, Any]] = [{"word": word, "start": at, "end": at + 1} for at, word in enumerate("abc")]
    ours = [{**word, "confidence": 0.9} for word in said]
    assert script.report(["a", "b", "c"], ours, said)["verdict"] == "verified"
    late = [{**word, "start": word["start"] + 1, "confidence": None} for word in reversed(ours)]
    assert script.report(["a", "b", "c"], late, said)["failed"] == [
        "the word error rate is Vosk's own",
        "the times are Vosk's own",
        "the times go forwards",
        "confidences are in [0, 1]",
    ]
    assert "words are found" in script.report(["a"], [], said)["failed"]


words = st.lists(st.sampled_from("abc"), max_size=8)


@given(words.filter(bool), words)
def test_word_error_rate_is_jiwers(script: Any, reference: list[str], said: list[str]) -> None:
    assert script.wer(reference, said) == pytest.approx(jiwer.wer(" ".join(reference), " ".join(said)))
