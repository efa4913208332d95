"""Pocket TTS and Silero TE for benchmarks/families.py: what lowvox made of them, beside their own way on torch.

Torch runs in processes of its own, of another Python. Knows nothing of tables but their lines.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks import pocket
from benchmarks.families_table import Line

from lowvox.engines.pocket.cache import Cache
from lowvox.engines.pocket.layout import TABLE, layout
from lowvox.memory.meter import MB
from lowvox.shrink.trials import distance, trial
from lowvox.shrink.trials.material import Material, material
from lowvox.shrink.trials.measuring import measured
from lowvox.types import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lowvox.shrink.trials.variant import Row

    Values = dict[str, NDArray[Any]]

ROOT = Path(__file__).resolve().parents[1]
SPOKEN = "The boats have gone and the evening has come."
# Of a paragraph.
_WORDS = 80
_ENDLESS = 1000.0  # random weights find no end

# The stand-in where there is no copy of the real model, and what lowvox makes of either.
CONVERT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from dataclasses import asdict
from pathlib import Path
from benchmarks.silero_te import made
from lowvox.shrink.silero_te.convert import export
file = Path(sys.argv[1])
if not file.exists():
    made(file)
done = export(file, Path(sys.argv[2]))
print(json.dumps({"as_run": asdict(done.as_run) if done.as_run else None, "exact": asdict(done.exact)}))
"""
ENHANCE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import torch
from torch.package import PackageImporter
torch.set_num_threads(1)
begun = time.perf_counter()
model = PackageImporter(sys.argv[1]).load_pickle("te_model", "model")
loaded = time.perf_counter()
model.enhance_text(sys.argv[2], "en")
first = time.perf_counter() - loaded
times = []
for _ in range(3 + int(sys.argv[3])):
    worked = time.process_time()
    model.enhance_text(sys.argv[2], "en")
    times.append(time.process_time() - worked)
told = open("/proc/self/status").read(), open("/proc/self/smaps_rollup").read()
def kilobytes(text, name):
    return int(text.split(name)[1].split()[0])
own = sum(kilobytes(told[1], name) for name in ("Private_Clean:", "Private_Dirty:"))
print(json.dumps({"load_s": loaded - begun, "first_s": first, "times": times[3:], "peak_mb":
    kilobytes(told[0], "VmHWM:") / 1024, "uss_mb": own / 1024}))
"""


@dataclass(frozen=True, slots=True)
class Voices:
    """A Pocket TTS in floats and in 8 bits, and a voice file of it."""

    exact: Path
    rounded: Path
    voice: Path


def pocket_rows(of: Voices, batches: Sequence[int], runs: int) -> list[list[Row]]:
    """Measure both, in turns, speaking a sentence to the bound of its length."""
    options: dict[str, object] = {"reference": str(of.voice), "seed": 1, "eos_threshold": _ENDLESS}
    subjects = []
    for name, folder in (("FP32", of.exact), ("INT8", of.rounded)):
        model = Model("pocket", "pocket", "synthesizer", ("en",), folder)
        subject = trial.of_model(model, Material("en", (SPOKEN,)), name=name)
        subjects.append(replace(subject, given=replace(subject.given, options=options)))
    first, other = measured(subjects, batches, runs)
    far = pocket_distance(of.exact, of.rounded)
    return [first, [replace(row, distance_db=far) for row in other]]


def pocket_distance(exact: Path, rounded: Path) -> float:
    """Return how far the worst of the graphs lies from its original on the same inputs, in dB."""
    one, other = layout(exact).facts, layout(rounded).facts
    found = []
    for name, sample in _samples(exact).items():
        paths = (exact / one.graphs[name].file, rounded / other.graphs[name].file)
        found.append(distance.signals(*(trial.outputs(path, [sample]) for path in paths)))
    return min(found)


def _samples(folder: Path) -> dict[str, Values]:
    """Return inputs of the graphs in which something is rounded: a text that is read, noise that is made sound."""
    facts, dice = layout(folder).facts, np.random.default_rng(0)

    def noise(*shape: int) -> NDArray[np.float32]:
        return dice.standard_normal(shape).astype(np.float32)

    def begun(name: str) -> Values:
        told = facts.graphs[name]
        assert told.cache
        states = {state.name: np.zeros(state.shape, np.float32) for state in told.states}
        return {"offset": np.array([0]), **Cache(told.cache, _WORDS).feeds(), **states}

    table = np.load(folder / TABLE)
    text = {"text": table[dice.integers(1, len(table), 24)].astype(np.float32)}
    nothing = {"audio": np.zeros((0, facts.width), np.float32), "latents": noise(8, facts.latent)}
    times = {name: np.full((1, 1), at, np.float32) for at, name in enumerate("st")}
    return {
        "backbone": text | nothing | begun("backbone"),
        "flow": {"condition": noise(1, facts.condition), "x": noise(1, facts.latent)} | times,
        "decoder": {"latents": noise(4, facts.latent)} | begun("decoder"),
    }


def pocket_upstream(python: str, config: Path, voice: Path, runs: int) -> list[Line]:
    """Let the package speak the same in floats and in its own 8 bits, each run in a process of its own."""
    size = sum(file.stat().st_size for file in config.parent.glob("*.safetensors")) / MB
    script = str(Path(pocket.__file__).with_name("pocket_upstream.py"))
    ways = {"torch": "whole", "torch, its own INT8": "int8"}
    found: dict[str, list[pocket.Row]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, how in ways.items():
            found[name].append(pocket._run([python, script, str(config), str(voice), SPOKEN, how]))
    told = []
    for name, each in found.items():
        middle = {key: statistics.median(run[key] for run in each) for key in each[0]}
        quarters = _quarters([run["rtf"] for run in each])
        times = (middle["load_clock_s"], middle["first_clock_s"], middle["rtf"], quarters)
        told.append(Line("Pocket TTS", name, 1, size, *times, "RTF", middle["peak_mb"]))
    return told


def silero(python: str, file: Path, folder: Path) -> str:
    """Convert the model at `file`, or a stand-in that is written there, into `folder`; say how near it is."""
    told = json.loads(_foreign(python, CONVERT, str(file), str(folder)))
    compared = told["as_run"] or told["exact"]
    return f"{compared['differing']} of {compared['classes']} classes other than torch's"


def silero_rows(folder: Path, batches: Sequence[int], runs: int) -> list[Row]:
    """Measure what was converted."""
    model = Model("silero-te", "silero-te", "punctuator", (), folder)
    return trial.model(model, material("punctuator", "en"), batches, runs, name="lowvox")


def silero_upstream(python: str, file: Path, runs: int) -> Line:
    """Let torch mark the same paragraph."""
    words = " ".join(material("punctuator", "en").texts).split()[:_WORDS]
    told = json.loads(_foreign(python, ENHANCE, str(file), " ".join(words).lower(), str(runs)))
    times = [1000 * seconds for seconds in told["times"]]
    spent = (told["load_s"], told["first_s"], statistics.median(times), _quarters(times))
    size = file.stat().st_size / MB
    return Line("Silero TE", "torch", 1, size, *spent, "ms", told["peak_mb"], told["uss_mb"])


def _quarters(times: Sequence[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else (*times, 0, *times)
    return low, high


def _foreign(python: str, code: str, *given: str) -> str:
    """Run code in another Python, on one thread; return the last line that it prints."""
    paths = os.pathsep.join(str(path) for path in (ROOT / "src", ROOT / "tests", ROOT))
    own = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([python, "-c", code, *given], check=True, stdout=subprocess.PIPE, text=True, env=own)
    return done.stdout.splitlines()[-1]
