"""A survey by another process than the one it is about."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from lowvox.memory import meter, running
from lowvox.memory.running import Claim
from lowvox.memory.survey import survey
from lowvox.types import Holding

pytestmark = pytest.mark.usefixtures("home")
APP = """
import subprocess, sys
from lowvox.memory.trees import Tree
from lowvox.types import Holding
worker = subprocess.Popen(
    [sys.executable, "-c", "block = bytearray(b'x') * (40 << 20); print(flush=True); input()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
worker.stdout.readline()
tree = Tree()
tree.reserve(90 << 20, 200 << 20)
tree.publish(base=5 << 20, holdings=(
    Holding("inside", "vad", "in-process", None, "leased", 1 << 20, 2 << 20, 1, 1, 0.0, 0.0, False),
    Holding("outside", "recognizer", "worker", worker.pid, "idle", 30 << 20, 60 << 20, 1, 0, 60.0, -1.0, True)))
print(worker.pid, flush=True)
input()
worker.kill()
"""


def test_every_byte_of_another_process() -> None:
    arguments = [sys.executable, "-c", APP]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout
        worker = int(app.stdout.readline())
        (found,) = survey()
        assert (found.pid, found.command, found.shared) == (app.pid, "-c", True)
        assert (found.budget, found.reserved) == (200 * meter.MB, 90 * meter.MB)
        base, inside, outside, rest = found.lines
        assert (base.bytes, inside.bytes) == (5 * meter.MB, meter.MB)
        assert outside.bytes > 40 * meter.MB
        assert outside.holding
        assert outside.holding.pid == worker
        assert outside.holding.idle_s >= 60
        assert rest.bytes > 0
        assert sum(line.bytes for line in found.lines) == found.usage.pss
        app.communicate("\n")
    assert survey() == ()


@pytest.mark.parametrize(("status", "waited"), [("idle", True), ("leased", False)])
def test_what_was_idle_has_stayed_idle(status: str, waited: bool) -> None:
    holding = Holding("a", "vad", "in-process", None, status, 5, 9, 1, 0, 7.0, -1, True)  # type: ignore[arg-type]
    with running.exclusive():
        running.write(replace(running.fresh(), claims={"1": Claim(time.time() - 1000, holdings=(holding,))}))
    (found,) = survey()
    assert found.pid == os.getpid()
    assert found.lines[1].holding
    assert (found.lines[1].holding.idle_s >= 1007) is waited
