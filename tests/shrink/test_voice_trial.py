"""A voice as it is measured, whole and in parts."""

from __future__ import annotations

from pathlib import Path

from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices import voice_trial
from lowvox.shrink.voices.voice_trial import Program
from lowvox.types import Model, Profile
from replicas import vits

NAME = "en_US-test-low"


def test_a_voice_speaks_symbols_whole_and_in_parts(tmp_path: Path) -> None:
    whole = voices.found(str(vits.voice(tmp_path / "whole", NAME, "text")))
    (tmp_path / "parts").mkdir()
    done = voices.parted(whole, tmp_path / "parts", onnx=False)
    feeds = whole.feeds(20)
    one, other = (
        voice_trial.subject("it", folder / f"{NAME}.onnx", feeds, whole.rate)
        for folder in (whole.graph.parent, tmp_path / "parts")
    )
    assert one.size == whole.graph.stat().st_size
    assert other.size == sum(done.sizes.values())
    seconds = []
    for subject in (one, other):
        program = Program().load(Model("it", "piper", "synthesizer", ()), Profile())
        load_s, first_s, provider = program.begin(subject.given, 2, 1)
        program.warm()
        (run,) = program.time(1)
        assert min(load_s, first_s, *run) > 0
        assert provider == "cpu"
        seconds.append(run[2])
    assert seconds[0] == seconds[1]
    assert seconds[0] >= 2 * 20 * vits.HOP / whole.rate  # two at once, a frame a symbol at least
