"""The inside of a worker, without a process and with one that ends by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.memory import hosting
from lowvox.memory.hosting import Root
from lowvox.memory.wire import Lane
from lowvox.types import Model, Profile

VAD = Model("silero-vad", "silero-vad", "vad", ())
AT = "lowvox.engines.silero:SileroVad"


class Odd:
    """An object with every kind of answer."""

    rate = 16_000

    def __init__(self) -> None:
        self.closed = False

    def speak(self, text: str) -> Iterator[bytes]:
        try:
            yield from (letter.encode() for letter in text)
        finally:
            self.closed = True

    def crash(self) -> None:
        raise ZeroDivisionError

    def missing(self) -> None:
        raise NotFoundError("gone") from ZeroDivisionError()

    def greedy(self, how: str) -> None:
        try:
            {"python": self._python, "system": self._system, "library": self._library}[how]()
        except Exception as error:
            raise DamagedError("The file is damaged.") from error

    def _python(self) -> None:
        bytearray(2**60)

    def _system(self) -> None:
        raise OSError(12, "Cannot allocate memory")

    def _library(self) -> None:
        raise RuntimeError("std::bad_alloc")

    def lambdas(self) -> list[Any]:
        return [lambda: None]

    def close(self) -> None:
        self.closed = True
        raise RuntimeError("I stay")


@pytest.fixture
def root() -> Root:
    made = Root()
    assert made.keep(Odd()) == 1
    return made


def test_answers(root: Root) -> None:
    assert hosting._answer(root, 1, "rate", (), {}) == ("value", 16_000)
    assert hosting._answer(root, 1, "speak", ("ab",), {}) == ("object", 2)
    assert hosting._answer(root, 2, "__next__", (), {}) == ("value", b"a")
    assert hosting._answer(root, 2, "__next__", (), {}) == ("value", b"b")
    assert hosting._answer(root, 2, "__next__", (), {}) == ("end", None)


def test_dropping_an_iterator_stops_its_work(root: Root) -> None:
    odd = root.objects[1]
    hosting._answer(root, 1, "speak", ("ab",), {})
    hosting._answer(root, 2, "__next__", (), {})
    assert not odd.closed
    assert hosting._answer(root, 0, "drop", (2,), {}) == ("value", None)
    assert odd.closed
    assert list(root.objects) == [0, 1]
    hosting._answer(root, 0, "drop", (2,), {})


def test_what_refuses_to_close_is_forgotten_all_the_same(root: Root) -> None:
    kind, error = hosting._answer(root, 0, "release", (1,), {})
    assert (kind, str(error)) == ("error", "The engine failed (RuntimeError: I stay); try again.")
    assert list(root.objects) == [0]


def test_trimming(root: Root) -> None:
    assert hosting._answer(root, 0, "trim", (), {})[0] == "value"


def test_errors_become_one_sentence_and_leave_their_cause_behind(root: Root) -> None:
    kind, error = hosting._answer(root, 1, "crash", (), {})
    assert (kind, type(error), str(error)) == (
        "error",
        EngineError,
        "The engine failed (ZeroDivisionError: ); try again.",
    )
    kind, error = hosting._answer(root, 1, "missing", (), {})
    assert (kind, type(error), error.__cause__) == ("error", NotFoundError, None)


@pytest.mark.parametrize("how", ["python", "system", "library"])
def test_wanting_too_much_memory_is_told_apart(root: Root, how: str) -> None:
    assert hosting._answer(root, 1, "greedy", (how,), {}) == ("greed", None)


def test_what_cannot_be_pickled_is_an_error_and_the_lane_goes_on(root: Root) -> None:
    questions, answers = BytesIO(), BytesIO()
    asking = Lane(answers, questions, memoryview(b""))
    asking.send((1, "lambdas", (), {}))
    asking.send((1, "rate", (), {}))
    questions.seek(0)
    hosting._serve(root, Lane(questions, answers, memoryview(b"")))
    answers.seek(0)
    kind, error = asking.receive()
    assert kind == "error"
    assert "pickle" in str(error)
    assert asking.receive() == ("value", 16_000)


def test_a_library_that_prints_or_reads_does_not_reach_the_wire() -> None:
    """The process as it is where nothing can be inherited: its end is the end of its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lowvox.memory.hosting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lane = Lane(process.stdout, process.stdin, memoryview(b""))
    lane.send((0, "load", ("builtins:print", "I am printed", Profile()), {}))
    assert lane.receive()[0] == "error"
    lane.send((0, "load", ("replicas:nowhere", VAD, Profile()), {}))
    assert "ModuleNotFoundError" in str(lane.receive()[1])
    lane.send((0, "load", (AT, VAD, Profile()), {}))
    assert lane.receive() == ("object", 1)
    lane.send((0, "prepare_audio", (), {}))
    assert lane.receive() == ("value", None)
    _, complaints = process.communicate()
    assert process.returncode == 0
    assert complaints == b"\n"  # what print printed
