from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowvox.memory.shared_audio import SLOT, create, slots

linux = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no shared memory without a name")


def test_a_slot_holds_the_longest_utterance_in_whole_pages() -> None:
    assert SLOT >= 15 * 16_000 * 2
    assert SLOT % 65536 == 0


@linux
def test_two_mappings_are_the_same_memory_and_slots_are_apart() -> None:
    memory = create(3)
    here, there = slots(memory, 3), slots(memory, 3)
    os.close(memory)
    here[1][:4] = b"abcd"
    there[2][-2:] = b"yz"
    assert bytes(there[1][:4]) == b"abcd"
    assert bytes(here[2][-2:]) == b"yz"
    assert not any(here[0])
    assert [len(slot) for slot in here] == [SLOT] * 3


@linux
def test_it_has_no_name_and_takes_nothing_until_it_is_used() -> None:
    memory = create(1)
    assert not list(Path("/dev/shm").glob("*lowvox*"))
    assert os.fstat(memory).st_blocks == 0
    slots(memory, 1)[0][:10_000] = bytes(10_000)
    assert os.fstat(memory).st_blocks * 512 == 3 * 4096
    os.close(memory)


@linux
def test_it_is_inherited_only_by_whom_it_is_given_to() -> None:
    memory = create(1)
    assert not os.get_inheritable(memory)
    os.close(memory)


def test_a_system_without_it_uses_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert create(2) == -1
    assert [len(slot) for slot in slots(-1, 2)] == [0, 0]
