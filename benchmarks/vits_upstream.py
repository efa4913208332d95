"""A large VITS voice by Piper's own training classes, with random weights, and the two ways in which upstream runs it.

    PYTHON benchmarks/vits_upstream.py make FOLDER     # voice.pt and voice.onnx
    PYTHON benchmarks/vits_upstream.py torch FOLDER    # speaks utterance.npz in torch
    PYTHON benchmarks/vits_upstream.py piper FOLDER    # speaks it in Piper's runtime

PYTHON has torch, onnx and piper-tts. Started by benchmarks/vits.py, which lends it nothing but a folder: piper-tts is
GPL-3.0 and stays in a process of its own, which imports nothing of lowvox. One thread. A run prints one JSON object;
memory is the kernel's (MB), `peak_mb` of the whole process.
"""

from __future__ import annotations

import json
import sys
import time
import types
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The sizes of Piper's "high" voices, but for what is hidden (192): 36.7 M weights at work.
SIZES: dict[str, Any] = {
    "n_vocab": 256,
    "spec_channels": 513,
    "segment_size": 32,
    "inter_channels": 192,
    "hidden_channels": 256,
    "filter_channels": 768,
    "n_heads": 2,
    "n_layers": 6,
    "kernel_size": 3,
    "p_dropout": 0.1,
    "resblock": "1",
    "resblock_kernel_sizes": (3, 7, 11),
    "resblock_dilation_sizes": ((1, 3, 5),) * 3,
    "upsample_rates": (8, 8, 2, 2),
    "upsample_initial_channel": 512,
    "upsample_kernel_sizes": (16, 16, 4, 4),
}
RATE = 16000
# Above this a voice would be clipped nearly everywhere, and below a tenth of it there would be no sound to speak of.
LEVEL = 0.3
SHIFT = 0.05


def network() -> Any:
    """Build the part of the network that speaks; its weights are not set yet, and take no memory."""
    import torch

    found = find_spec("piper")
    if found is None:
        raise SystemExit("This Python has no piper-tts.")
    # The package without its own start, which would load ONNX Runtime into torch's process.
    package = types.ModuleType("piper")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["piper"] = package
    with torch.device("meta"):
        net = import_module("piper.train.vits.models").SynthesizerTrn(**SIZES).eval()
        del net.enc_q
        for name in ("post_pre", "post_proj", "post_convs", "post_flows"):
            delattr(net.dp, name)
        net.dec.remove_weight_norm()
    return net


def fill(net: Any) -> None:
    """Set random weights of a size that lets signals through: a voice that speaks, 1 to 6 frames a phoneme."""
    import torch

    net.to_empty(device="cpu")
    noise = torch.Generator().manual_seed(0)
    for name, weight in net.named_parameters():
        drawn = torch.randn(weight.shape, generator=noise)
        if "gamma" in name or name.endswith("weight_g"):
            weight.data.fill_(1)
        else:
            weight.data.copy_(drawn * (SHIFT if weight.ndim < 2 else weight[0].numel() ** -0.5))
    for module in net.dec.modules():
        if isinstance(module, torch.nn.ConvTranspose1d):
            into, _, size = module.weight.shape
            drawn = torch.randn(module.weight.shape, generator=noise)
            module.weight.data.copy_(drawn * (into * size / module.stride[0]) ** -0.5)
    net.enc_p.proj.bias.data[SIZES["inter_channels"] :] = -1  # the logarithm of a deviation
    for flow in net.dp.flows:
        if hasattr(flow, "m"):
            flow.m.data.fill_(0)
            flow.logs.data.fill_(0)
            flow.m.data[0] = -0.7  # the logarithm of a phoneme's frames, backwards
    made = speak(net, [3 + at % 90 for at in range(60)])
    net.dec.conv_post.weight.data *= LEVEL / made.clamp(-0.9999, 0.9999).atanh().std()


def speak(net: Any, ids: list[int], noise: float = 0.667) -> Any:
    """Return samples [n] for phonemes."""
    import torch

    with torch.inference_mode():
        lengths = torch.tensor([len(ids)])
        made = net.infer(torch.tensor([ids]), lengths, noise_scale=noise, length_scale=1.0, noise_scale_w=0.0)
        return made[0].reshape(-1)


def make(folder: Path) -> None:
    """Write the weights and the graph, exported as a Piper voice is: same inputs, same output."""
    import torch

    torch.manual_seed(0)
    net = network()
    fill(net)
    torch.save(net.state_dict(), folder / "voice.pt")

    def infer(ids: Any, lengths: Any, scales: Any) -> Any:
        made = net.infer(ids, lengths, noise_scale=scales[0], length_scale=scales[1], noise_scale_w=scales[2])
        return made[0].unsqueeze(1)

    net.forward = infer
    torch.onnx.export(
        net,
        (torch.arange(3, 53)[None], torch.tensor([50]), torch.tensor([0.667, 1.0, 0.8])),
        str(folder / "voice.onnx"),
        opset_version=15,
        input_names=["input", "input_lengths", "scales"],
        output_names=["output"],
        dynamic_axes={
            "input": {0: "batch_size", 1: "phonemes"},
            "input_lengths": {0: "batch_size"},
            "output": {0: "batch_size", 2: "time"},
        },
        dynamo=False,
    )


def in_torch(folder: Path) -> Any:
    """Load into torch, weights mapped from the file: the least it can take; return what speaks phonemes."""
    import torch

    torch.set_num_threads(1)
    net = network()
    net.load_state_dict(torch.load(folder / "voice.pt", mmap=True), assign=True)
    return lambda ids: speak(net, ids).numpy()


def in_piper(folder: Path) -> Any:
    """Load into Piper's runtime; return what speaks phonemes."""
    piper = import_module("piper")
    voice = piper.PiperVoice.load(folder / "voice.onnx")
    wanted = piper.SynthesisConfig(noise_scale=0.667, length_scale=1.0, noise_w_scale=0.0, normalize_audio=False)
    return lambda ids: voice.phoneme_ids_to_audio(ids, wanted)


def kernel(field: str) -> float:
    """Return a figure of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def main() -> None:
    """Make the voice or speak."""
    warnings.simplefilter("ignore")
    way, folder = sys.argv[1], Path(sys.argv[2])
    if way == "make":
        make(folder)
        return
    import numpy as np

    import_module("torch" if way == "torch" else "piper")  # not part of loading the voice
    ids = np.load(folder / "utterance.npz")["input"][0].tolist()
    begun, worked = time.perf_counter(), time.process_time()
    voice = {"torch": in_torch, "piper": in_piper}[way](folder)
    told = {"load_s": time.process_time() - worked, "load_wall_s": time.perf_counter() - begun}
    begun, worked = time.perf_counter(), time.process_time()
    made = voice(ids)
    spent = {"cpu_s": time.process_time() - worked, "wall_s": time.perf_counter() - begun}
    first = {"first_s": spent["cpu_s"], "first_wall_s": spent["wall_s"]}
    sound = {"seconds": len(made) / RATE, "level": float(made.std())}
    del made
    print(
        json.dumps({**told, **spent, **first, **sound, "peak_mb": kernel("VmHWM"), "anonymous_mb": kernel("RssAnon")})
    )


if __name__ == "__main__":
    main()
