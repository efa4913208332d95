"""Another lowvox process, with models of its own: `python -m replicas.tenant`, told what to do line by line.

Prints its base in bytes first and reads the shared budget in bytes. Then "lend NAME", "back", "empty" (wait until
nothing is held) or "close", each answered by a line.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tenant:
    """This side of it."""

    def __init__(self, keep_alive: str = "-1") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "replicas.tenant", keep_alive],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        self.base = int(self.answer())

    def answer(self) -> str:
        """Return what it says next."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def tell(self, line: object) -> str:
        """Tell it something and return its answer."""
        assert self.process.stdin
        print(line, file=self.process.stdin, flush=True)
        return self.answer()


@contextmanager
def tenant(keep_alive: str = "-1") -> Iterator[Tenant]:
    """Run one."""
    made = Tenant(keep_alive)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()


def _serve(keep_alive: str) -> None:
    from lowvox.errors import LowvoxError
    from lowvox.memory.budget import Budget
    from lowvox.memory.footprints import Footprints
    from lowvox.memory.keeping import KeepAlive
    from lowvox.memory.manager import Manager
    from replicas import standins

    standins.enlist("Engine")
    print(Footprints().base, flush=True)
    manager = Manager(Budget(int(input()), shared=True), keep_alive=KeepAlive.parse(keep_alive))
    leases = ExitStack()
    print("ready", flush=True)
    for line in sys.stdin:
        word, *names = line.split()
        try:
            if word == "lend":
                leases.enter_context(manager.lease(*(standins.standin(name=name) for name in names), sound=False))
            elif word == "back":
                leases.close()
            elif word == "empty":
                if (thread := manager._keeper._thread) is not None:
                    thread.join()
            else:
                manager.close()
        except LowvoxError as error:
            print(error, flush=True)
        else:
            print("done", flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
