from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowvox.errors import EngineError, WorkerDiedError
from lowvox.memory import meter
from lowvox.memory.worker import RemoteStream, Worker
from lowvox.types import Model, Profile, Usage
from replicas import naughty

MB = 2**20
VAD = Model("silero-vad", "silero-vad", "vad", ())
SILERO = "lowvox.engines.silero:SileroVad"
SILENCE = bytes(32_000)
PLANNED = (
    r"^model-400 needed more than the 100 MB that were planned for it, and was stopped; give it a larger --budget or "
    r"a smaller model \(`lowvox fit`\)\.$"
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("PYTHONPATH", str(Path(naughty.__file__).parent))
    running = Worker("model-400")
    yield running
    running.close()


def opened(worker: Worker, engine: str, name: str = "model-400") -> RemoteStream:
    """Open a stream of a naughty engine that has heard two seconds of silence."""
    model = Model(name, engine.lower(), "recognizer", ("en",))
    stream = worker.load(f"naughty:{engine}", model, Profile()).open()
    stream.accept(SILENCE)
    return stream


def test_a_stream_in_a_worker_answers_like_one_here(worker: Worker) -> None:
    from lowvox.audio.clip import clip
    from lowvox.engines.silero import SileroVad

    here = SileroVad().load(VAD, Profile()).open()
    there = worker.load(SILERO, VAD, Profile()).open()
    sound = clip()
    frames = [sound[at : at + 1024] for at in range(0, 1024 * 60, 1024)]
    heard = [there.probability(frame) for frame in frames]
    assert heard == [here.probability(frame) for frame in frames]
    assert max(heard) > 0.9
    there.reset()
    assert there.probability(frames[0]) == heard[0]
    there.close()


def test_sound_of_any_length_arrives_whole(worker: Worker) -> None:
    for seconds in (0.1, 2, 15, 40):
        assert worker.call(0, "crowd", seconds)[-3200:] != bytes(3200)
        assert len(worker.call(0, "crowd", seconds)) == int(seconds * 16_000) * 2


def test_errors_come_back_as_themselves(worker: Worker) -> None:
    with pytest.raises(EngineError, match="No module named 'nonsense'"):
        worker.load("nonsense:Engine", VAD, Profile())
    stream = worker.load(SILERO, VAD, Profile()).open()
    with pytest.raises(EngineError, match="InvalidChunkSizeError"):
        stream.probability(b"odd")
    assert stream.probability(bytes(1024)) < 0.5  # and the worker goes on


# How it ends.


def test_closing_ends_the_process_and_leaves_no_zombie(worker: Worker) -> None:
    assert worker.pid in meter.tree()
    worker.close()
    worker.close()
    assert worker.pid not in meter.tree()
    with pytest.raises(WorkerDiedError, match="has been closed"):
        worker.load(SILERO, VAD, Profile())


def test_closing_does_not_wait_for_an_engine_that_hangs(worker: Worker) -> None:
    caught: list[BaseException] = []

    def load() -> None:
        try:
            opened(worker, "Hanging")
        except WorkerDiedError as error:
            caught.append(error)

    loading = threading.Thread(target=load)
    loading.start()
    worker.close()
    loading.join()
    assert "model-400 has been closed" in str(caught[0])


def test_an_engine_that_hangs_in_load_is_stopped(worker: Worker) -> None:
    with pytest.raises(WorkerDiedError, match=r"^model-400 did not finish loading in 0.2 s; try again, or"):
        worker.load("naughty:Hanging", VAD, Profile(), timeout=0.2)
    assert worker.pid not in meter.tree()


def test_a_load_in_time_is_not_stopped_later(worker: Worker) -> None:
    resident = worker.load(SILERO, VAD, Profile(), timeout=60)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    resident.open()


def test_ending_it_for_a_reason_tells_whoever_is_at_work_and_later(worker: Worker) -> None:
    stream = opened(worker, "Loud")
    worker.end("was stopped to keep the budget of 300 MB; give it a larger --budget.")
    worker.end("too late")
    for call in (stream.finish, stream.partial):
        with pytest.raises(WorkerDiedError, match=r"^model-400 was stopped to keep the budget of 300 MB; give it"):
            call()
    stream.close()


def test_death_is_told_as_what_it_was(worker: Worker) -> None:
    stream = opened(worker, "Crashing")
    with pytest.raises(WorkerDiedError, match=r"The process of model-400 was killed by SIGSEGV. Try again."):
        stream.finish()
    with pytest.raises(WorkerDiedError, match="SIGSEGV"):
        stream.partial()
    stream.close()
    assert worker.pid not in meter.tree()


@linux
def test_a_kill_by_somebody_is_told_from_one_by_the_system(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_kills", None)  # as where nobody counts: other tests may run out of memory
    stream = opened(worker, "Loud")
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match=r"killed by SIGKILL \(the system does this when memory runs out\)"):
        stream.partial()


@linux
def test_a_kill_by_the_system_is_told_as_one(worker: Worker) -> None:
    own = next((line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line), "::/")
    cell = Path("/sys/fs/cgroup/memory") / own.split(":")[2].lstrip("/") / f"lowvox-{worker.pid}"
    try:
        cell.mkdir()
    except OSError:
        pytest.skip("needs the right to make a memory cgroup (version 1)")
    try:
        (cell / "memory.limit_in_bytes").write_text("60M")
        (cell / "cgroup.procs").write_text(str(worker.pid))
        with pytest.raises(
            WorkerDiedError, match=r"SIGKILL \(memory ran out, and the system killed a process for it\)"
        ):
            opened(worker, "Big")
    finally:
        worker.close()
        cell.rmdir()


def test_last_words_are_kept_and_no_more_than_that(worker: Worker) -> None:
    stream = opened(worker, "Loud", "loud-20")
    stream.finish()
    assert stream.partial() == ""  # what it printed did not reach the wire
    os.kill(worker.pid, signal.SIGTERM)
    with pytest.raises(WorkerDiedError, match=r"SIGTERM; its last words: my last words. Try again"):
        stream.finish()
    assert sum(map(len, worker._child.words)) <= 8 * 4096


def test_a_stream_that_refuses_to_close_says_so_once(worker: Worker) -> None:
    stream = opened(worker, "Clinging")
    with pytest.raises(EngineError, match="RuntimeError: I stay"):
        stream.close()
    stream.close()
    opened(worker, "Clinging").finish()


INTERRUPTED = """
import os, signal, threading
from lowvox.memory.worker import Worker
from lowvox.types import Model, Profile
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever is started in the background ignores it
worker = Worker("it", 2)
worker.call(0, "trim")
try:
    worker.load("naughty:Interrupting", Model("it", "", "recognizer", ()), Profile())
except KeyboardInterrupt:
    print("interrupted")
for _ in range(3):
    try:
        worker.call(0, "trim")
    except Exception as error:
        print(type(error).__name__, error)
print(os.path.exists(f"/proc/{worker.pid}"), len(worker._turns._free))
worker.close()
"""


@linux
def test_an_interrupted_call_leaves_nothing_out_of_step(worker: Worker) -> None:
    said = subprocess.check_output([sys.executable, "-c", INTERRUPTED], text=True).splitlines()
    assert said == [
        "interrupted",
        *["WorkerDiedError it was stopped in the midst of a call; open it again."] * 3,
        "False 0",
    ]


# Lanes.


def test_as_many_calls_work_at_once_as_there_are_permits(worker: Worker) -> None:
    """Two that wait for each other come to an end only when they work at the same time."""
    with_two = Worker("two", permits=2)
    try:
        resident = with_two.load("naughty:Meeting", VAD, Profile())
        streams = [resident.open() for _ in range(2)]
        threads = [threading.Thread(target=stream.finish) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [stream.partial() for stream in streams] == ["met", "met"]
    finally:
        with_two.close()


@pytest.mark.parametrize("permits", [1, 3])
def test_calls_from_many_threads_find_their_own_answers(worker: Worker, permits: int) -> None:
    several = Worker("several", permits)
    heard: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        heard[number] = [len(several.call(0, "crowd", number / 10)) for _ in range(10)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    several.close()
    assert heard == {number: [number * 3200] * 10 for number in range(1, 9)}


def test_death_tells_everyone_who_waits(worker: Worker) -> None:
    several = Worker("several", 2)
    told: list[str] = []

    def load() -> None:
        try:
            several.load("naughty:Hanging", VAD, Profile())
        except WorkerDiedError as error:
            told.append(str(error))

    threads = [threading.Thread(target=load) for _ in range(5)]
    for thread in threads:
        thread.start()
    several.end("was stopped.")
    for thread in threads:
        thread.join()
    assert told == ["several was stopped."] * 5


# Memory.


@linux
@pytest.mark.parametrize("engine", ["Liar", "Throwing", "Leaky", "Big"])
def test_more_than_was_planned_is_refused_in_one_sentence(worker: Worker, engine: str) -> None:
    assert worker.limit(100 * MB)
    with pytest.raises(WorkerDiedError, match=PLANNED) as caught:
        opened(worker, engine).finish()
    assert str(caught.value).count(". ") == 0
    assert worker.pid not in meter.tree()
    assert worker.usage() == Usage(0, 0, 0, 0)
    assert not worker.limit(200 * MB)


@linux
def test_a_library_that_crashes_for_want_of_memory(worker: Worker) -> None:
    worker.limit(100 * MB)
    with pytest.raises(WorkerDiedError, match=r"SIGSEGV \(some libraries do this when they get no more memory: 100 MB"):
        opened(worker, "Gulping").finish()


@linux
def test_the_limit_can_be_raised_and_an_honest_engine_never_meets_it(worker: Worker) -> None:
    assert worker.limit(100 * MB)
    assert worker.limit(500 * MB)
    stream = opened(worker, "Liar")
    assert stream.finish() == ()


def test_a_system_without_ceilings_says_so(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert not worker.limit(100 * MB)


@linux
def test_usage_shows_what_leaks_and_closing_what_does_not(worker: Worker) -> None:
    stream = opened(worker, "Leaky", "leaky-20")
    before = worker.usage().anonymous
    stream.finish()
    assert 19 * MB < worker.usage().anonymous - before < 22 * MB
    stream.close()
    assert worker.usage().anonymous - before > 19 * MB
    assert worker.trim()


def test_an_ended_worker_has_no_usage(worker: Worker) -> None:
    worker.trim()  # it has started
    assert worker.usage().rss > 5 * MB
    worker.close()
    assert worker.usage() == Usage(0, 0, 0, 0)


@linux
def test_nothing_defunct_is_left() -> None:
    """After all of the above."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in children]
    assert "Z" not in states
