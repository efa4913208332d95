"""Pocket TTS 1.0.3 with random weights: exported as others export it, and at work in its own package, on torch.

    PYTHON benchmarks/pocket_foreign_upstream.py export FOLDER
    PYTHON benchmarks/pocket_foreign_upstream.py speak FOLDER

PYTHON has pocket-tts 1.0.3, onnx and onnxruntime; started by benchmarks/pocket_foreign.py. "export" writes weights, a
tokenizer, the graphs with whole caches (in FP32, and those of the backbone, the flow and the decoder in INT8), and
`run.npz`: a recording, noise, and what the package made of them. "speak" does that again and tells what it took.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SEED, CAPACITY, SECONDS = 0, 1000, 4.0
RUN, TEXT = "run.npz", "text.txt"


def built(folder: Path) -> Any:
    """Return the package's model; its weights are made at the first call and read at every other."""
    import torch
    from pocket_tts.models.tts_model import TTSModel  # type: ignore[import-not-found]  # only where upstream is
    from pocket_tts.utils import config as configs  # type: ignore[import-not-found]

    told = configs.load_config(Path(configs.__file__).parents[1] / "config" / "b6369a24.yaml")
    weights = folder / "weights.safetensors"
    told.weights_path = str(weights) if weights.exists() else None
    told.flow_lm.lookup_table.tokenizer_path = str(folder / "tokenizer.model")
    torch.manual_seed(SEED)
    model = TTSModel._from_pydantic_config_with_weights(told, 0.7, 1, None, 1000.0)
    if not weights.exists():
        from safetensors.torch import save_file  # type: ignore[import-not-found]

        save_file({name: _varied(name, value) for name, value in model.state_dict().items()}, weights)
        return built(folder)
    return model.eval()


def _varied(name: str, value: Any) -> Any:
    """Make something of what the package leaves at nothing, so that every part is heard."""
    import torch

    if name.endswith("speaker_proj_weight"):
        return torch.randn_like(value) * value.shape[1] ** -0.5
    if name.endswith("emb_std"):
        return torch.rand_like(value) + 0.5
    if "layer_scale" in name:
        return 0.3 + 0.1 * torch.rand_like(value)
    if value.is_floating_point() and value.unique().numel() == 1:  # equal weights become one in a graph
        return value + 0.1 * torch.randn_like(value)
    return value.contiguous()


def spoken(model: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Have the package hear the recording and speak with the noise; the sound and what was on the way."""
    import numpy as np
    import torch

    given = np.load(folder / RUN)
    left = [torch.from_numpy(row) for row in given["noise"]]
    heard = 0

    def noise(tensor: Any, **_: float) -> Any:
        nonlocal heard
        heard += 1
        if heard > 2:  # the first two are drawn for nothing, behind the voice and the text
            tensor.copy_(left.pop(0)[None])
        return tensor

    drawn, torch.nn.init.normal_ = torch.nn.init.normal_, noise
    try:
        sound = torch.from_numpy(given["recording"])[None]
        state = model.get_state_for_audio_prompt(sound)
        voice = torch.stack([layer["cache"][:, 0] for layer in state.values()]).numpy()
        text = (folder / TEXT).read_text("utf-8")
        made = model.generate_audio(state, text).numpy()
    finally:
        torch.nn.init.normal_ = drawn
    with torch.no_grad():
        conditioning = model._encode_audio(sound[None])[0].numpy()
    return made, {"voice": voice, "conditioning": conditioning, "sound": made}


def export(folder: Path) -> None:
    """Write all."""
    import numpy as np

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from replicas import pocket_full

    pocket_full.tokenizer(folder, 4000)
    dice = np.random.default_rng(SEED)
    times = np.arange(int(SECONDS * 24000) // 1920 * 1920) / 24000
    recording = 0.2 * np.sin(2 * np.pi * 140 * times) * (1 + np.sin(9 * times)) + 0.02 * dice.standard_normal(
        len(times)
    )
    noise = dice.standard_normal((500, 32)) * 0.7**0.5
    given = {"recording": recording.astype(np.float32), "noise": noise.astype(np.float32)}
    np.savez(folder / RUN, **given)
    (folder / TEXT).write_text(_text(folder), "utf-8")
    model = built(folder)
    np.savez(folder / RUN, **given, **spoken(model, folder)[1])
    from pocket_foreign_graphs import write  # type: ignore[import-not-found]  # beside this file

    write(model, folder / "onnx", CAPACITY)


def _text(folder: Path) -> str:
    """Return a sentence of as many words as fit in one chunk."""
    import sentencepiece  # type: ignore[import-not-found]

    tokens = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
    lines = (folder / "words.txt").read_text("utf-8").splitlines()
    fitting = [f"{line[:-1]}." for line in lines if len(line.split()) > 6 and len(tokens.encode(line)) < 40]
    return fitting[0]


def main() -> None:
    """Export, or speak and tell what it took."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = Path(sys.argv[2])
    if sys.argv[1] == "export":
        from beartype import claw  # type: ignore[import-not-found]

        claw.beartype_this_package = lambda **_: None  # a tracer's numbers are no int
        export(folder)
        return
    model = built(folder)
    load = time.process_time()
    sound, _ = spoken(model, folder)
    told = Path("/proc/self/status").read_text("utf-8")
    peak = int(told.split("VmHWM:")[1].split()[0]) / 1024
    seconds = len(sound) / 24000
    print(json.dumps({"load_s": load, "rtf": (time.process_time() - load) / seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
