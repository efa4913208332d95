"""Pocket TTS as its own package runs it, in torch: one process, one JSON object.

    PYTHON benchmarks/pocket_upstream.py CONFIG.yaml VOICE.safetensors TEXT [whole|deaf|int8]

PYTHON has pocket-tts 4.0.1. Started by benchmarks/pocket.py, of which it imports nothing. "deaf" leaves out what hears
recordings: the package has no way to, so its parts are taken out as soon as they are built. "int8" is the package's own
quantisation. A text is spoken to the bound of its length, for random weights find no end.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Load, hear the voice, speak, and tell what it took."""
    config, voice, text, how = sys.argv[1:5]
    from pocket_tts import TTSModel  # type: ignore[import-not-found]  # only where upstream is installed

    begun, clock = time.process_time(), time.perf_counter()
    if how == "deaf":
        _deafen()
    model: Any = TTSModel.load_model(config=config, eos_threshold=1000.0, quantize=how == "int8")
    if how == "deaf":
        gc.collect()
    imported_and_loaded = time.process_time()
    loaded = {"load_s": imported_and_loaded, "load_clock_s": time.perf_counter() - clock}
    state = model.get_state_for_audio_prompt(Path(voice))
    opened = time.process_time() - imported_and_loaded
    begun, clock = time.process_time(), time.perf_counter()
    samples, first, first_clock = 0, 0.0, 0.0
    for sound in model.generate_audio_stream(model_state=state, text_to_generate=text):
        first = first or time.process_time() - begun
        first_clock = first_clock or time.perf_counter() - clock
        samples += sound.shape[-1]
    seconds = samples / model.sample_rate
    print(
        json.dumps(
            loaded
            | {
                "open_s": opened,
                "first_s": first,
                "first_clock_s": first_clock,
                "rtf": (time.process_time() - begun) / seconds,
                "rtf_clock": (time.perf_counter() - clock) / seconds,
                "seconds": seconds,
                "peak_mb": memory("VmHWM"),
                "after_mb": memory("VmRSS"),
            }
        )
    )


def memory(line: str) -> float:
    """Return a line of the kernel's account of this process in MB."""
    told = Path("/proc/self/status").read_text("utf-8")
    return int(told.split(f"{line}:")[1].split()[0]) / 1024


def _deafen() -> None:
    """Have the package build no weights for hearing, and load none."""
    import torch
    from pocket_tts.models import mimi, tts_model  # type: ignore[import-not-found]

    build = mimi.build_mimi

    def deaf(config: Any) -> Any:
        made = build(config)
        for name in ("encoder", "encoder_transformer", "downsample"):
            setattr(made, name, torch.nn.Identity())
        return made

    tts_model.build_mimi = deaf
    load = tts_model.TTSModel.load_state_dict

    def tolerant(self: Any, state: Any, strict: bool = True) -> Any:
        heard = ("mimi.encoder.", "mimi.encoder_transformer.", "mimi.downsample.")
        return load(self, {name: one for name, one in state.items() if not name.startswith(heard)}, strict=strict)

    tts_model.TTSModel.load_state_dict = tolerant


if __name__ == "__main__":
    main()
