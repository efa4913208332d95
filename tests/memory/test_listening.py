from __future__ import annotations

from lowvox.audio.utterances import Limits
from lowvox.memory import listening
from lowvox.types import Model, Profile

NOTHING = Model("", "", "recognizer", ())


def test_it_reads_more_than_a_longest_utterance() -> None:
    seconds = sum(len(block) for block in listening._blocks()) / 32000
    assert Limits().longest_s < seconds < 2 * Limits().longest_s


def test_it_is_an_engine_that_hears_nothing() -> None:
    resident = listening.Listening().load(NOTHING, Profile())
    stream = resident.open(language="en")
    stream.accept(bytes(1024))
    assert stream.partial() == ""
    assert stream.finish() == ()
    stream.discard()
    stream.reset()
    stream.close()
    resident.close()


def test_the_program_loads_itself() -> None:
    import sys

    listening.Program().load(NOTHING, Profile())
    assert "lowvox.speech" in sys.modules
