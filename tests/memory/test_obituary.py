from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory import obituary

MB = 2**20
_CRASHED = "was killed by SIGABRT (some libraries do this when they get no more memory: 100 MB were planned for it)"


@pytest.mark.parametrize(
    ("status", "planned", "killed", "told"),
    [
        (0, None, 0, "ended with status 0. Try again."),
        (3, 100 * MB, None, "ended with status 3. Try again."),
        (None, None, 0, "stopped answering and was killed. Try again."),
        (-9, None, None, "was killed by SIGKILL (the system does this when memory runs out). Try again."),
        (-9, None, 0, "was killed by SIGKILL (somebody did this; memory had not run out). Try again."),
        (-9, None, 2, "was killed by SIGKILL (memory ran out, and the system killed a process for it). Try again."),
        (-11, None, 0, "was killed by SIGSEGV. Try again."),
        (
            -6,
            100 * MB,
            0,
            f"{_CRASHED}. Try again.",
        ),
        (-15, 100 * MB, 0, "was killed by SIGTERM. Try again."),
        (-60, None, 0, "was killed by signal 60. Try again."),
    ],
)
def test_endings(status: int | None, planned: int | None, killed: int | None, told: str) -> None:
    assert obituary.ending("it", status, [], planned, killed) == f"The process of it {told}"


def test_last_words() -> None:
    told = obituary.ending("it", -11, ["Loading", "ERROR: out of cheese"], None, 0)
    assert told == "The process of it was killed by SIGSEGV; its last words: ERROR: out of cheese. Try again."


def test_a_library_that_says_it_got_no_memory() -> None:
    words = ["terminate called after throwing an instance of 'std::bad_alloc'", "  what():  std::bad_alloc"]
    assert obituary.ending("it", -6, words, 100 * MB, 0) == (
        "it needed more than the 100 MB that were planned for it, and was stopped; give it a larger --budget or a "
        "smaller model (`lowvox fit`)."
    )
    assert obituary.ending("it", -6, words, None, 0).startswith("it got no more memory from the system")


@given(
    st.none() | st.integers(-64, 255),
    st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]))),
    st.none() | st.integers(0, 2**40),
    st.none() | st.integers(0, 9),
)
def test_it_is_always_one_line(status: int | None, words: list[str], planned: int | None, killed: int | None) -> None:
    told = obituary.ending("it", status, words, planned, killed)
    assert told.endswith(".")
    assert not re.search(r"[\r\n]", told)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_system_counts_its_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = obituary.kills()
    assert counted is not None
    assert counted >= 0
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "nr_free_pages 12\n")
    assert obituary.kills() is None


def test_a_system_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", gone)
    assert obituary.kills() is None
