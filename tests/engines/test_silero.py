from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lowvox.audio.clip import clip
from lowvox.engines.silero import SileroVad
from lowvox.types import Model, Profile

VAD = Model("silero-vad", "silero-vad", "vad", ())


def test_it_tells_speech_from_silence() -> None:
    stream = SileroVad().load(VAD, Profile()).open()
    sound = clip() + bytes(32000)
    heard = [stream.probability(sound[at : at + 1024]) for at in range(0, len(sound) - 1023, 1024)]
    assert sum(probability > 0.5 for probability in heard) > 0.7 * len(heard[:-31])
    assert max(heard[-20:]) < 0.2
    stream.close()


@pytest.mark.parametrize("before", [None, "3"])
def test_the_environment_is_left_as_it_was(before: str | None) -> None:
    script = (
        "import os\nfrom lowvox.engines.silero import SileroVad\n"
        "SileroVad().load(None, None); print(os.environ.get('OMP_THREAD_LIMIT'))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_THREAD_LIMIT"}
    environment |= {"OMP_THREAD_LIMIT": before} if before else {}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads as Linux shows them")
def test_it_works_in_the_thread_that_asks() -> None:
    script = (
        "import os\nfrom lowvox.engines.silero import SileroVad\n"
        "SileroVad().load(None, None).open().probability(bytes(1024)); print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_each_stream_has_a_memory_of_its_own() -> None:
    resident = SileroVad().load(VAD, Profile())
    sound = clip()[32000:64000]
    frames = [sound[at : at + 1024] for at in range(0, len(sound) - 1023, 1024)]
    first, second = resident.open(), resident.open()
    fresh = [first.probability(frame) for frame in frames]
    assert [first.probability(frame) for frame in frames] != fresh
    assert [second.probability(frame) for frame in frames] == fresh
    resident.close()
