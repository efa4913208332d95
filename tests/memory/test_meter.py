from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lowvox.memory import meter

ALLOCATE = "import sys; block = bytearray(b'x' * 50 * 2**20); del block; print(flush=True); sys.stdin.read()"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has held 50 MB and gave them back."""
    process = subprocess.Popen([sys.executable, "-c", ALLOCATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.communicate()


def test_shares_are_smaller_than_the_whole() -> None:
    found = meter.usage(os.getpid())
    assert 0 < found.uss <= found.pss <= found.rss
    assert 0 < found.anonymous <= found.rss


def test_agrees_with_psutil() -> None:
    other = meter._usage_psutil(os.getpid())
    assert meter.usage(os.getpid()).rss == pytest.approx(other.rss, rel=0.1)
    assert meter.usage(os.getpid()).uss == pytest.approx(other.uss, rel=0.1)


def test_a_process_that_has_ended_holds_nothing(child: subprocess.Popen[bytes]) -> None:
    child.communicate()
    assert meter.usage(child.pid).rss == 0
    assert meter._usage_psutil(child.pid).rss == 0
    assert meter.tree(child.pid) == [child.pid]
    assert meter._tree_psutil(child.pid) == [child.pid]


def test_the_tree_holds_children_and_their_memory(child: subprocess.Popen[bytes]) -> None:
    assert {os.getpid(), child.pid} <= set(meter.tree())
    assert set(meter.tree()) == set(meter._tree_psutil(os.getpid()))
    assert meter.tree_usage().rss >= meter.usage(child.pid).rss + meter.usage(os.getpid()).uss


def test_the_kernel_remembers_a_peak_until_it_is_reset(child: subprocess.Popen[bytes]) -> None:
    assert meter.peak_rss(child.pid) > meter.usage(child.pid).rss + 40 * meter.MB
    if not meter.reset_peak(child.pid):
        pytest.skip("this kernel does not let the record of the peak be reset")
    assert meter.peak_rss(child.pid) < meter.usage(child.pid).rss + 5 * meter.MB
