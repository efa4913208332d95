"""A voice computed by another provider than the CPU's own: time, memory, and how far its sound is off.

    python benchmarks/providers.py --folder FOLDER --provider openvino [--runs 3]

--folder is that of benchmarks/profiles.py; the Python must have the wheel with the provider (`lowvox doctor` names it).
Flow and decoder speak what the CPU's front has handed over, 4 s in windows of 64, twice: providers compile for new
shapes. Each row is a process of its own, on one thread where the provider lets itself be told, stopped after
--patience seconds. "front" and "voice" only load. MB by the kernel, seconds by the clock and by the processor; "off" is
the largest difference to the CPU's samples, in [-1, 1]. The last line is one JSON object; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import vits

WINDOW = 64


def job(provider: str, precision: str, what: str, folder: Path) -> dict[str, float]:
    """Load and speak; to be called in a process of its own."""
    import numpy as np

    from lowvox.memory import meter
    from lowvox.onnx import split
    from lowvox.onnx.session import Session
    from lowvox.types import Profile

    told = split.read(folder / precision / "voice.split.json")
    stated = Profile(stated=(("providers", (provider,)),))
    names = {"front": [told.front], "stages": [stage.file for stage in told.stages]}
    paths = (
        [folder / "whole" / "voice.onnx"] if what == "voice" else [folder / precision / name for name in names[what]]
    )
    clock, begun = time.perf_counter(), time.process_time()
    sessions = [Session(path, stated) for path in paths]
    row = {"load_s": time.perf_counter() - clock, "load_cpu_s": time.process_time() - begun}
    if what == "stages":
        from lowvox.onnx.stages import stream

        with np.load(folder / precision / "handed.npz") as saved:
            handed = dict(saved)
        for name in ("first", "rtf"):
            begun = time.process_time()
            sound = np.concatenate(
                [each.reshape(-1) for each in stream(list(zip(told.stages, sessions, strict=True)), handed, WINDOW)]
            )
            row[name] = (time.process_time() - begun) * vits.RATE / sound.size
        np.save(folder / precision / f"{provider}.npy", sound)
        row["off"] = float(np.abs(sound - np.load(folder / precision / "cpu.npy")).max())
    usage = meter.usage(os.getpid())
    return {**row, "peak_mb": meter.peak_rss(os.getpid()) / vits.MB, "held_mb": usage.anonymous / vits.MB}


def hand_over(folder: Path) -> None:
    """Write what the CPU's front gives."""
    import numpy as np

    from lowvox.onnx import split
    from lowvox.onnx.session import Session

    front = Session(folder / split.read(folder / "voice.split.json").front)
    with np.load(folder.parent / "whole" / "utterance.npz") as saved:
        made = dict(zip(front.outputs, front.run(dict(saved)), strict=True))
    arrays: dict[str, Any] = made
    np.savez(folder / "handed.npz", **arrays)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--provider", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--patience", type=float, default=100)
    parser.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        provider, precision, what = asked.job
        print(json.dumps(job(provider, precision, what, asked.folder)))
        return
    line: dict[str, Any] = {"benchmark": "providers", "runs": asked.runs}
    for precision, what in (("fp32", "stages"), ("int8", "stages"), ("fp32", "front"), ("fp32", "voice")):
        if what == "stages":
            hand_over(asked.folder / precision)
        for provider in ("cpu", asked.provider):
            rows = []
            command = [sys.executable, __file__, "--folder", str(asked.folder), "--provider", provider, "--job"]
            for _ in range(asked.runs):
                with suppress(subprocess.TimeoutExpired):
                    done = subprocess.run(
                        [*command, provider, precision, what],
                        check=True,
                        stdout=subprocess.PIPE,
                        timeout=asked.patience,
                    )
                    rows.append(json.loads(done.stdout.splitlines()[-1]))
                if not rows:
                    break
            name = f"{precision} {what}, {provider}"
            found = {key: round(statistics.median(row[key] for row in rows), 8) for key in rows[0]} if rows else None
            line[name] = found
            print(name, found or f"did not finish in {asked.patience:g} s", flush=True)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
