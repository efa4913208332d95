"""Pocket TTS: how much the exported graphs differ from the package, for every configuration that it ships.

    python benchmarks/pocket_parity.py [NAME ...] [--int8]

Needs pocket-tts 4.0.1 (extra `shrink`). The weights are random and of the true sizes, for the true ones lie on a hub;
configurations of the same sizes are the same model then, and are run once. Upstream speaks 10 s behind a voice of 4 s,
with given noise; each graph is given what upstream gave the part that it stands for (`backbone`, `end`, `flow`,
`decoder`, `encoder`; `voice`: keys and values), and `together` is the sound of all of them at once. Largest difference
as a part of upstream's largest number. Flows of type lsd take 2 steps here. Prints a table and one JSON line last.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lowvox.shrink.pocket import export as pocket
from lowvox.shrink.pocket import parity as pocket_parity
from lowvox.shrink.pocket import upstream as pocket_upstream
from replicas import pocket_full

FRAMES, SECONDS = 125, 4.0
STEPS = {"lsd": 2, "flow_matching": 16}
# A type of flow that is known and not shipped.
OTHERS = (("english_7m_2026-10", "flow_matching"),)
PARTS = ("voice", "encoder", "backbone", "end", "flow", "decoder", "together")


def models() -> dict[str, list[str]]:
    """Return the configurations by the first of those of the same sizes."""
    import yaml

    shipped = import_module("pocket_tts.utils.config").CONFIGS_DIR
    found: dict[str, list[str]] = {}
    for path in sorted(shipped.glob("*.yaml")):
        told = yaml.safe_load(path.read_text("utf-8"))
        told["flow_lm"]["lookup_table"].pop("tokenizer_path")
        lm = {key: value for key, value in told["flow_lm"].items() if key != "weights_path"}
        found.setdefault(json.dumps([lm, told["mimi"]], sort_keys=True), []).append(path.stem)
    return {names[0]: names for names in found.values()}


def measure(name: str, flow: str | None, *, int8: bool) -> dict[str, Any]:
    """Make, export and compare one model."""
    with TemporaryDirectory(prefix="pocket-") as beside:
        folder = Path(beside)
        upstream = pocket_upstream.load(str(pocket_full.build(folder, name, flow)))
        steps = STEPS.get(upstream.config.flow_lm.flow.type, 1)
        run = pocket_parity.reference(upstream.model, FRAMES, SECONDS, steps)
        row: dict[str, Any] = {"config": name, "flow": upstream.config.flow_lm.flow.type}
        row["tokenizer"] = upstream.config.flow_lm.lookup_table.tokenizer
        row["weights"] = sum(value.size for value in upstream.weights.values())
        for precision in ("fp32", "int8")[: 1 + int8]:
            out = folder / precision
            out.mkdir()
            facts = msgspec.structs.replace(pocket.files(upstream, out, int8=precision == "int8"), steps=steps)
            found = pocket_parity.compare(out, facts, run, steps)
            row[precision] = {part: each.relative for part, each in found.items()}
            row[f"{precision}_largest"] = {part: each.difference for part, each in found.items()}
            row[f"{precision}_mb"] = round(sum(facts.sizes.values()) / 2**20, 1)
    gc.collect()
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the first of those of the same sizes; all without it")
    parser.add_argument("--int8", action="store_true", help="also in 8 bits")
    asked = parser.parse_args()
    same = models()
    wanted = [(name, None) for name in same if not asked.names or name in asked.names]
    rows = []
    print(f"{'configuration':22} {'flow':14} {'tokenizer':13} {'M':>5}  " + " ".join(f"{part:>9}" for part in PARTS))
    for name, flow in [*wanted, *(() if asked.names else OTHERS)]:
        row = measure(name, flow, int8=asked.int8)
        rows.append({**row, "same": [] if flow else same[name][1:]})
        for precision in ("fp32", "int8")[: 1 + asked.int8]:
            numbers = " ".join(f"{row[precision][part]:9.1e}" for part in PARTS)
            head = f"{name[:22]:22} {row['flow']:14} {row['tokenizer']:13} {row['weights'] / 1e6:5.1f}"
            print(f"{head}  {numbers}  {precision} {row[f'{precision}_mb']} MB", flush=True)
    worst = max(number for row in rows for number in row["fp32"].values())
    print(json.dumps({"benchmark": "pocket_parity", "worst": worst, "rows": rows}))


if __name__ == "__main__":
    main()
