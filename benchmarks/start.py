"""What it costs to start: `lowvox --help` against `python -c pass`, and what `import lowvox` loads.

    python benchmarks/start.py [--runs 15]

Runs take turns, so that a change of the machine's speed meets both. Memory is the kernel's peak of each process (of its
children's usage, as the shell's `time` has it). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path


def run(command: list[str]) -> tuple[float, float]:
    """Return (seconds, peak RSS in MB) of one process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    """Run the pairs and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    lowvox = shutil.which("lowvox", path=Path(sys.executable).parent) or shutil.which("lowvox")
    if lowvox is None:
        raise SystemExit("lowvox is not installed; run pip install -e .")
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "help": [lowvox, "--help"],
        "import": [sys.executable, "-c", "import lowvox"],
    }
    for command in commands.values():
        run(command)  # not counted: files come into the system's cache
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(run(command))
    loaded = subprocess.run(
        [sys.executable, "-c", "import lowvox, sys; print(*(m for m in ('numpy', 'onnxruntime') if m in sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    line: dict[str, object] = {"benchmark": "start", "import_loads": loaded}
    for name in ("help", "import"):
        pairs = [mine[0] / bare[0] for mine, bare in zip(times[name], times["python"], strict=True)]
        line[f"{name}_time_ratio"] = round(statistics.median(pairs), 2)
        line[f"{name}_peak_rss_mb"] = round(max(peak for _, peak in times[name]), 1)
        print(f"lowvox {name}: {line[f'{name}_time_ratio']} x python -c pass, {line[f'{name}_peak_rss_mb']} MB")
    line["python_ms"] = round(1000 * statistics.median(seconds for seconds, _ in times["python"]), 1)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
