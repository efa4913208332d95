"""The eager route of torch.ao beside lowvox's rounding, on the same decoder with the same weights.

    python benchmarks/quantize_torch.py --torch PYTHON [--runs 20]

PYTHON is one that has torch and onnx. There a HiFi-GAN decoder of 14 M random weights is built, run in FP32, and
rounded as published recipes do it: each Conv1d, ConvTranspose1d and Linear between a QuantStub and a DeQuantStub, by
`torch.ao.quantization.prepare` on four inputs, then `convert`. Weights have a scale for each channel where torch's
kernels know that. Each way is a process of its own on one thread: bytes of the weights on disk, the kernel's record of
the largest RSS, processor time of a run of 128 frames, and signal over difference to FP32. The same network as an ONNX
graph is rounded by lowvox, and measured so as well. torch's INT8 peak has the FP32 network in it, which eager code
builds first. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

FRAMES, SEEDS, UNSEEN = 128, (0, 1, 2, 3), 9
STAGES = ((8, 16), (8, 16), (2, 4), (2, 4))
BLOCKS = ((3, (1, 3, 5)), (7, (1, 3, 5)), (11, (1, 3, 5)))
WAYS = ("torch fp32", "torch calibration", "torch int8", "lowvox fp32", "lowvox int8")


def main() -> None:
    """Measure all ways, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # a way and a folder, in a process of its own
    asked = parser.parse_args()
    if asked.one:
        way, folder = asked.one[0], Path(asked.one[1])
        print(json.dumps((torch_way if way.startswith("torch") else our_way)(way.split()[1], folder, asked.runs)))
        return
    with tempfile.TemporaryDirectory() as lent:
        found = {way: inside(way, Path(lent), asked) for way in WAYS}
        del found["torch calibration"]  # a process before, so that its memory is not that of running
        for way, figures in found.items():
            first = found[f"{way.split()[0]} fp32"]
            figures["time"] = round(figures["run_s"] / first["run_s"], 3)
            figures["size"] = round(figures["size_mb"] / first["size_mb"], 3)
            figures["signal_over_noise_db"] = far(Path(lent), first["output"], figures["output"])
            print(f"{way:12} {figures}")
    print(json.dumps(found))


def inside(way: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure a way in a process of its own."""
    python = asked.torch if way.startswith("torch") else sys.executable
    command = [python, __file__, "--torch", "", "--runs", str(asked.runs), "--one", way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def far(folder: Path, first: str, output: str) -> float | None:
    """Return signal over difference of two outputs in dB."""
    import numpy as np

    if first == output:
        return None
    one, other = (np.load(folder / name).astype(np.float64) for name in (first, output))
    return round(float(10 * np.log10((one**2).sum() / ((one - other) ** 2).sum())), 2)


def given(seed: int) -> Any:
    """Return an input of the decoder."""
    import numpy as np

    return np.random.default_rng(seed).standard_normal((1, 192, FRAMES), np.float32)


def timed(run: Any, runs: int) -> tuple[float, Any]:
    """Return the median of the processor time of a run, and what it gives."""
    run()
    taken = []
    for _ in range(runs):
        begun = time.process_time()
        output = run()
        taken.append(time.process_time() - begun)
    return statistics.median(taken), output


def figures(name: str, folder: Path, size: int, run_s: float, output: Any) -> dict[str, Any]:
    """Return what a process says of itself."""
    import numpy as np

    np.save(folder / f"{name}.npy", output)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "size_mb": round(size / 2**20, 2),
        "peak_rss_mb": round(peak, 1),
        "run_s": round(run_s, 4),
        "output": f"{name}.npy",
    }


def torch_way(precision: str, folder: Path, runs: int) -> dict[str, Any]:
    """Run torch's own; the FP32 one writes the graph and the weights that all others take."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = decoder().eval()
    weights = folder / f"torch-{precision}.pt"
    with torch.no_grad():
        if precision == "calibration":
            network.load_state_dict(torch.load(folder / "torch-fp32.pt"))
            torch.save(rounded(network, SEEDS).state_dict(), folder / "torch-int8.pt")
            return {}
        if precision == "int8":
            network = rounded(network)
            network.load_state_dict(torch.load(weights, weights_only=False))
        else:
            torch.save(network.state_dict(), weights)
        x = torch.from_numpy(given(UNSEEN))
        run_s, output = timed(lambda: network(x), runs)
        told = figures(f"torch-{precision}", folder, weights.stat().st_size, run_s, output.numpy())
        if precision == "fp32":
            how = {"input_names": ["z"], "output_names": ["audio"], "dynamic_axes": {"z": {2: "t"}, "audio": {2: "n"}}}
            torch.onnx.export(network, (x,), str(folder / "decoder.onnx"), opset_version=17, dynamo=False, **how)
    return told


def decoder() -> Any:
    """Return a HiFi-GAN decoder: 192 channels at so many frames to 256 samples for each."""
    import torch
    from torch import nn

    class Decoder(nn.Module):  # type: ignore[misc]  # torch has no types here
        def __init__(self) -> None:
            super().__init__()
            self.first, wide = nn.Conv1d(192, 512, 7, padding=3), 512
            self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
            for up, kernel in STAGES:
                self.ups.append(nn.ConvTranspose1d(wide, wide // 2, kernel, up, (kernel - up) // 2))
                wide //= 2
                self.blocks.extend(residual(wide, size, dilations) for size, dilations in BLOCKS)
            self.last = nn.Conv1d(wide, 1, 7, padding=3)

        def forward(self, z: Any) -> Any:
            x = self.first(z)
            for at, up in enumerate(self.ups):
                x = up(nn.functional.leaky_relu(x, 0.1))
                some = [block(x) for block in self.blocks[3 * at : 3 * at + 3]]
                x = (some[0] + some[1] + some[2]) / 3
            return torch.tanh(self.last(nn.functional.leaky_relu(x, 0.1)))

    network = Decoder()
    drawn(network)
    return network


def residual(wide: int, kernel: int, dilations: tuple[int, ...]) -> Any:
    """Return a residual block of pairs of convolutions."""
    from torch import nn

    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.ModuleList(nn.Conv1d(wide, wide, kernel, 1, d * (kernel - 1) // 2, d) for d in dilations)
            self.two = nn.ModuleList(nn.Conv1d(wide, wide, kernel, 1, (kernel - 1) // 2) for _ in dilations)

        def forward(self, x: Any) -> Any:
            for one, two in zip(self.one, self.two, strict=True):
                x = x + two(nn.functional.leaky_relu(one(nn.functional.leaky_relu(x, 0.1)), 0.1))
            return x

    return Residual()


def drawn(network: Any) -> None:
    """Draw weights with which a signal neither dies nor explodes on its way, as torch's own beginnings let it."""
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            nn.init.normal_(module.weight, 0, (module.in_channels * module.kernel_size[0]) ** -0.5)
        if isinstance(module, nn.ConvTranspose1d):
            nn.init.normal_(module.weight, 0, (module.in_channels * module.kernel_size[0] // module.stride[0]) ** -0.5)


def rounded(network: Any, seeds: Sequence[int] = ()) -> Any:
    """Round a network as published recipes do it, with the ranges of these inputs.

    By fbgemm: "x86" takes oneDNN's transposed convolution, which in torch 2.13 gives noise (-3 dB) on processors that
    have 8-bit matrices.
    """
    import torch
    from torch import nn
    from torch.ao import quantization as ao

    class Between(nn.Module):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.quant, self.inner, self.dequant = ao.QuantStub(), inner, ao.DeQuantStub()

        def forward(self, x: Any) -> Any:
            return self.dequant(self.inner(self.quant(x)))

    def wrap(module: Any) -> None:
        for name, child in module.named_children():
            if isinstance(child, (nn.Conv1d, nn.ConvTranspose1d, nn.Linear)):
                between = Between(child)
                # A transposed convolution has one scale: torch's kernels know no other.
                whole = isinstance(child, nn.ConvTranspose1d)
                between.qconfig = ao.default_qconfig if whole else ao.get_default_qconfig("fbgemm")
                setattr(module, name, between)
            else:
                wrap(child)

    wrap(network)
    torch.backends.quantized.engine = "fbgemm"
    ao.prepare(network, inplace=True)
    for seed in seeds:
        network(torch.from_numpy(given(seed)))
    return ao.convert(network, inplace=True)


def our_way(precision: str, folder: Path, runs: int) -> dict[str, Any]:
    """Run the graph of the same network; the INT8 one is rounded in a process before it."""
    from lowvox.onnx.session import Session

    graph = folder / "decoder.onnx"
    if precision == "int8":
        graph = folder / "decoder.int8.onnx"
        subprocess.run([sys.executable, "-c", ROUND, str(folder)], check=True)
    session = Session(graph)
    x = {"z": given(UNSEEN)}
    run_s, output = timed(lambda: session.run(x)[0], runs)
    return figures(f"lowvox-{precision}", folder, graph.stat().st_size, run_s, output)


ROUND = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from quantize_torch import SEEDS, given
from lowvox.shrink import calibrate, graph, qdq
folder = Path(sys.argv[1])
model = graph.read(folder / "decoder.onnx")
nodes = graph.roundable(model)
ranges = calibrate.ranges(model, [{{"z": given(seed)}} for seed in SEEDS], qdq.needed(model, nodes))
(folder / "decoder.int8.onnx").write_bytes(qdq.rounded(model, ranges, nodes).SerializeToString())
"""


if __name__ == "__main__":
    main()
