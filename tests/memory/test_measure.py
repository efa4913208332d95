from __future__ import annotations

from lowvox.memory import measure, meter
from lowvox.types import Model

VAD = Model("silero-vad", "silero-vad", "vad", ())
EARS = Model("pocketsphinx-en-us", "pocketsphinx", "recognizer", ("en",))


def test_a_part_of_this_process_takes_what_it_adds() -> None:
    found = measure.footprint(VAD, "in-process", 1)
    assert 1 * meter.MB < found.peak() < 30 * meter.MB
    assert found.load_s > 0


def test_a_part_in_a_worker_takes_the_whole_process() -> None:
    alone = measure.footprint(VAD, "worker", 1)
    assert alone.resident > measure.footprint(VAD, "in-process", 1).resident + 2 * meter.MB


def test_a_recogniser_is_measured_at_its_hardest() -> None:
    found = measure.footprint(EARS, "worker", 1)
    assert found.stream > 50 * meter.MB
    assert found.work > 5 * meter.MB


def test_sound_libraries_are_a_part_of_their_own() -> None:
    found = measure.audio_footprint()
    assert 5 * meter.MB < found.peak() < 60 * meter.MB
