"""Silero VAD in 8 bits: does it decide as before, and is it worth it?

    python benchmarks/vad_int8.py GRAPH.onnx SPEECH [--clips 120] [--runs 100]

GRAPH is Silero's own (v5: `input`, `state`, `sr`), which is a branch for each rate, with branches in them that shapes
alone decide: those that 16 kHz takes are laid out first, and give the same numbers. SPEECH is a folder of recordings;
ranges are measured on frames of every second clip, decisions (0.5, frame by frame, the state carried along) compared
on the others, plain and in white noise at 0.01 and 0.05 of full scale. Each variant is run in a process of its own for
memory and time. The LSTM has no 8-bit kernel between pairs of rounding: only convolutions are rounded. The last line is
one JSON object.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from lowvox.memory.meter import MB
from lowvox.onnx import runtime
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq
from lowvox.shrink.trials import distance, gate, material, measuring, trial
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Values = dict[str, NDArray[Any]]

FRAME, CONTEXT, EDGE = 512, 64, 0.5
NOISES = (0.0, 0.01, 0.05)
# Of each clip, every so many frames: neighbours are alike.
STEP, FRAMES = 25, 400


def first() -> Values:
    """Return what the network is given before anything was heard."""
    return {"input": np.zeros((1, CONTEXT + FRAME), np.float32), "state": np.zeros((2, 1, 128), np.float32)}


def settled(model: onnx.ModelProto, sample: Values) -> onnx.ModelProto:
    """Lay out the branches that a sample takes, and no others."""
    while (at := next((at for at, node in enumerate(model.graph.node) if node.op_type == "If"), None)) is not None:
        node = model.graph.node[at]
        name = "then_branch" if taken(model, node.input[0], sample) else "else_branch"
        branch = next(one.g for one in node.attribute if one.name == name)
        ends = [
            helper.make_node("Identity", [one.name], [out]) for one, out in zip(branch.output, node.output, strict=True)
        ]
        nodes = [*model.graph.node[:at], *branch.node, *ends, *model.graph.node[at + 1 :]]
        laid = helper.make_graph(
            nodes, "vad", model.graph.input, model.graph.output, [*model.graph.initializer, *branch.initializer]
        )
        model = helper.make_model(laid, opset_imports=model.opset_import, ir_version=model.ir_version)
    return model


def taken(model: onnx.ModelProto, condition: str, sample: Values) -> bool:
    """Return which way a sample goes; levels above "none" trip over branches in branches here."""
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.append(helper.make_tensor_value_info(condition, onnx.TensorProto.BOOL, None))
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(seen.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return bool(np.asarray(session.run([condition], sample)[0]).reshape(-1)[0])


def flat(source: Path, target: Path) -> None:
    """Write the half of the graph that hears 16 kHz, with `sr` a constant."""
    model = settled(onnx.load(source), first() | {"sr": np.array(16000)})
    kept = [one for one in model.graph.input if one.name != "sr"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(16000, np.int64), "sr"))
    onnx.save(graph.ordered(model, str(source)), target)


def frames(session: Session, pcm: bytes) -> Iterator[tuple[Values, float]]:
    """Yield what the network is given for each frame of a clip, and the probability of speech."""
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    given = first()
    for at in range(0, len(sound) - FRAME + 1, FRAME):
        heard = np.concatenate([given["input"][:, -CONTEXT:], sound[None, at : at + FRAME]], 1)
        given = {"input": heard, "state": given["state"]}
        probability, state = session.run(given)
        yield given, float(probability.reshape(-1)[0])
        given = {"input": heard, "state": state}


def decisions(path: Path, clips: list[material.Clip]) -> NDArray[np.float64]:
    """Return the probability of speech of every frame of these clips."""
    session = Session(path)
    return np.array([probability for clip in clips for _, probability in frames(session, clip.pcm())])


def main() -> None:
    """Round, compare, measure; print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--clips", type=int, default=120)
    parser.add_argument("--runs", type=int, default=100)
    asked = parser.parse_args()
    clips = list(islice(material.clips(asked.speech, told=False), asked.clips))
    line: dict[str, Any] = {"benchmark": "vad_int8", "clips": len(clips[1::2]), "agreement": {}}
    with TemporaryDirectory() as folder:
        exact = Path(folder) / "fp32.onnx"
        flat(asked.graph, exact)
        session = Session(exact)
        seen = [given for clip in clips[::2] for given, _ in islice(frames(session, clip.pcm()), 0, None, STEP)][
            :FRAMES
        ]
        model = graph.read(exact)
        nodes = graph.roundable(model)
        line["coverage"] = round(graph.coverage(model, nodes), 1)
        variants = {}
        for name, per_channel in (("per channel", True), ("per tensor", False)):
            ranges = calibrate.ranges(model, seen, qdq.needed(model, nodes))
            variants[name] = Path(folder) / f"{name}.onnx"
            variants[name].write_bytes(qdq.rounded(model, ranges, nodes, per_channel=per_channel).SerializeToString())
        for noise in NOISES:
            noisy = [replace(clip, noise=noise) for clip in clips[1::2]]
            base = decisions(exact, noisy)
            for name, path in variants.items():
                own = decisions(path, noisy)
                same = 100 * float(((own > EDGE) == (base > EDGE)).mean())
                found = {
                    "frames": len(base),
                    "same": round(same, 3),
                    "furthest": round(float(abs(own - base).max()), 3),
                }
                line["agreement"][f"{name}, noise {noise}"] = found
                print(f"{name}, noise {noise}:", found, flush=True)
        subjects = [
            trial.of_graph(path, seen[-8:], (1,), name=name) for name, path in {"FP32": exact, **variants}.items()
        ]
        rows = measuring.measured(subjects, (1,), asked.runs)
        line["rows"] = []
        for subject, (row,), path in zip(subjects, rows, [exact, *variants.values()], strict=True):
            far = distance.signals(trial.outputs(exact, seen[-8:]), trial.outputs(path, seen[-8:]))
            verdict = gate.judge(rows[0], [replace(row, distance_db=far)])
            told = {
                "variant": subject.variant,
                "size_mb": round(path.stat().st_size / MB, 3),
                "peak_mb": round(row.peak_rss_mb, 1),
            }
            told |= {"run_ms": round(1000 * (row.cpu_s or 0), 4), "distance_db": round(far, 1)}
            told |= {"passed": verdict.passed, "checks": [check.sentence for check in verdict.checks]}
            print(told, flush=True)
            line["rows"].append(told)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
