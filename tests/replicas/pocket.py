"""Stand-ins for Pocket TTS: its configurations, weights with upstream's names and shapes, and what is exported of them.

`config` gives what a YAML file of upstream's holds, as small as it goes; `weights` are random ones for it, with numpy
alone, and `upstream` both as if the package pocket-tts had loaded them. So the true exporter writes a folder without
torch. `written` gives the package files of its own for the same configuration. The sound is noise.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.pocket import export as pocket
from lowvox.shrink.pocket.upstream import Upstream

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Facts

    Floats = NDArray[np.float32]

TOKENS = 300
# As upstream's: the smallest model has all but the second kind of tokenizer.
_CODEC = {
    "dimension": 16, "channels": 1, "n_filters": 2, "n_residual_layers": 1, "ratios": [6, 5, 4], "kernel_size": 7,
    "residual_kernel_size": 3, "last_kernel_size": 3, "dilation_base": 2, "pad_mode": "constant", "compress": 2,
}  # fmt: skip


def config(flow: str = "pointwise", *, small: bool = True, size: int = TOKENS, tokenizer: str = "") -> dict[str, Any]:
    """Return a configuration; `small` has grouped heads, a table of low rank and a decoder of its own.

    Otherwise it is as the models of 100 million weights are. A `tokenizer` that ends in .json is of the second kind.
    """
    backbone: dict[str, Any] = {"d_model": 16, "hidden_scale": 2, "max_period": 10000, "num_heads": 4, "num_layers": 2}
    backbone |= {"attn_dim": 32 if small else None, "num_kv_heads": 2 if small else None}
    backbone |= {"dim_feedforward": 24 if small else None}
    transformer: dict[str, Any] = {"d_model": 16, "num_heads": 2, "num_layers": 2, "layer_scale": 0.01, "context": 40}
    transformer |= {"dim_feedforward": 24, "input_dimension": 16, "output_dimensions": [16]}
    other = {"d_model": 8, "dim_feedforward": 16, "input_dimension": 12, "output_dimensions": [12], "context": 20}
    kind = "tokenizers" if tokenizer.endswith(".json") else "sentencepiece"
    return {
        "weights_path": None,
        "replace_characters": {"–": ","},
        "default_temperature": 0.3,
        "default_eos_threshold": -1.0,
        "model_recommended_frames_after_eos": None,
        "pad_with_spaces_for_short_inputs": not small,
        "remove_semicolons": False,
        "append_terminal_punctuation": True,
        "capitalize_first_letter": True,
        "flow_lm": {
            "insert_bos_before_voice": small,
            "dtype": "float32",
            "flow": {"depth": 2, "dim": 12, "type": flow},
            "transformer": backbone,
            "z_dim": 12 if small else None,
            "weights_path": None,
            "lookup_table": {
                "dim": 16, "n_bins": size, "tokenizer": kind, "tokenizer_path": tokenizer, "rank": 8 if small else None,
            },
        },
        "mimi": {
            "dtype": "float32", "sample_rate": 24000, "channels": 1, "frame_rate": 12.5, "inner_dim": 4,
            "outer_dim": 12 if small else 16,
            "seanet": {**_CODEC},
            "transformer": transformer,
            "quantizer": {"dimension": 4, "output_dimension": 12 if small else 16},
            "decoder_seanet": {**_CODEC, "dimension": 12, "kernel_size": 3, "n_residual_layers": 2} if small else None,
            "decoder_transformer": {**transformer, **other} if small else None,
        },
    }  # fmt: skip


def weights(told: dict[str, Any], seed: int = 0) -> dict[str, Floats]:
    """Return random weights for a configuration, by upstream's names."""
    dice = np.random.default_rng(seed)
    shapes = _flow_lm(told) | {f"mimi.{name}": shape for name, shape in _mimi(told["mimi"]).items()}
    made = {name: _drawn(dice, name, shape) for name, shape in shapes.items()}
    for name in made:
        if name.endswith(".freqs"):
            half = len(made[name])
            made[name] = np.exp(-np.log(10000) * np.arange(half) / half).astype(np.float32)
    return made


def _drawn(dice: np.random.Generator, name: str, shape: tuple[int, ...]) -> Floats:
    norm = ("norm1.weight", "norm2.weight", "out_norm.weight", "in_ln.weight")
    if name.endswith((".scale", ".alpha", "emb_std", *norm)):
        return dice.uniform(0.5, 1.5, shape).astype(np.float32)
    inner = np.prod(shape[1:]) if len(shape) > 1 else 4
    return (dice.standard_normal(shape) / inner**0.5).astype(np.float32)


def _flow_lm(told: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    lm, latent = told["flow_lm"], told["mimi"]["quantizer"]["dimension"]
    table, flow, z_dim = lm["lookup_table"], lm["flow"], lm["z_dim"]
    width = lm["transformer"]["d_model"]
    found: dict[str, tuple[int, ...]] = {
        "emb_std": (latent,), "emb_mean": (latent,), "bos_emb": (latent,), "input_linear.weight": (width, latent),
        "out_norm.weight": (width,), "out_norm.bias": (width,), "out_eos.weight": (1, z_dim or width),
        "out_eos.bias": (1,), "speaker_proj_weight": (width, told["mimi"]["inner_dim"]),
        "conditioner.embed.weight": (table["n_bins"] + 1, table["rank"] or table["dim"]),
    }  # fmt: skip
    if table["rank"]:
        found["conditioner.proj.weight"] = (table["dim"], table["rank"])
    if lm["insert_bos_before_voice"]:
        found["bos_before_voice"] = (1, 1, width)
    if z_dim:
        found["z_proj.weight"] = (z_dim, width)
    found |= _layers("transformer", lm["transformer"])
    found |= {f"flow_net.{name}": shape for name, shape in _flow(flow, latent, z_dim or width).items()}
    return {f"flow_lm.{name}": shape for name, shape in found.items()}


def _flow(flow: dict[str, Any], latent: int, given: int) -> dict[str, tuple[int, ...]]:
    wide = flow["dim"]
    linears: dict[str, tuple[int, int]] = {}
    times = {"lsd": 2, "flow_matching": 1}.get(flow["type"], 0)
    found: dict[str, tuple[int, ...]] = {}
    for at in range(times):
        linears |= {f"time_embed.{at}.mlp.0": (wide, 256), f"time_embed.{at}.mlp.2": (wide, wide)}
        found |= {f"time_embed.{at}.freqs": (128,), f"time_embed.{at}.mlp.3.alpha": (wide,)}
    for at in range(flow["depth"]):
        name = f"res_blocks.{at}"
        found |= {f"{name}.in_ln.weight": (wide,), f"{name}.in_ln.bias": (wide,)}
        linears |= {f"{name}.mlp.0": (wide, wide), f"{name}.mlp.2": (wide, wide)}
        linears[f"{name}.adaLN_modulation.1"] = (3 * wide, wide)
    linears |= {"cond_embed": (wide, given), "input_proj": (wide, latent), "final_layer.linear": (latent, wide)}
    linears["final_layer.adaLN_modulation.1"] = (2 * wide, wide)
    for name, shape in linears.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return found


def _layers(name: str, told: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    width = told["d_model"]
    wide = told.get("attn_dim") or width
    narrow = wide // told["num_heads"] * (told.get("num_kv_heads") or told["num_heads"])
    inner = told.get("dim_feedforward") or width * told["hidden_scale"]
    found: dict[str, tuple[int, ...]] = {}
    for at in range(told["num_layers"]):
        layer = f"{name}.layers.{at}"
        for norm in ("norm1", "norm2"):
            found |= {f"{layer}.{norm}.weight": (width,), f"{layer}.{norm}.bias": (width,)}
        found |= {
            f"{layer}.self_attn.in_proj.weight": (wide + 2 * narrow, width),
            f"{layer}.self_attn.out_proj.weight": (width, wide),
            f"{layer}.linear1.weight": (inner, width),
            f"{layer}.linear2.weight": (width, inner),
        }
        if "layer_scale" in told:
            found |= {f"{layer}.layer_scale_{which}.scale": (width,) for which in (1, 2)}
    return found


def _mimi(told: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    quantizer, codec = told["quantizer"], told["decoder_seanet"] or told["seanet"]
    found: dict[str, tuple[int, ...]] = {
        "quantizer.output_proj.weight": (quantizer["output_dimension"], quantizer["dimension"], 1),
        "downsample.conv.conv.weight": (told["inner_dim"], told["seanet"]["dimension"], 32),
        "upsample.convtr.convtr.weight": (told["outer_dim"], 1, 32),
    }
    halves = {"encoder": told["transformer"], "decoder": told["decoder_transformer"] or told["transformer"]}
    for half, transformer in halves.items():
        name = f"{half}_transformer"
        found |= _layers(f"{name}.transformer", transformer)
        if transformer["input_dimension"] != transformer["d_model"]:
            found[f"{name}.input_proj.weight"] = (transformer["d_model"], transformer["input_dimension"])
            found[f"{name}.output_projs.0.weight"] = (transformer["output_dimensions"][0], transformer["d_model"])
    found |= {f"encoder.model.{name}": shape for name, shape in _encoder(told["seanet"]).items()}
    return found | {f"decoder.model.{name}": shape for name, shape in _decoder(codec).items()}


def _encoder(codec: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    channels = codec["n_filters"]
    found = _conv("0.conv", channels, 1, codec["kernel_size"])
    at = 1
    for ratio in reversed(codec["ratios"]):
        found |= _blocks(codec, at, channels)
        at += codec["n_residual_layers"] + 1
        found |= _conv(f"{at}.conv", 2 * channels, channels, 2 * ratio)
        at, channels = at + 1, 2 * channels
    return found | _conv(f"{at + 1}.conv", codec["dimension"], channels, codec["last_kernel_size"])


def _decoder(codec: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    channels = codec["n_filters"] * 2 ** len(codec["ratios"])
    found = _conv("0.conv", channels, codec["dimension"], codec["kernel_size"])
    at = 1
    for ratio in codec["ratios"]:
        name, half = f"{at + 1}.convtr", channels // 2
        found |= {f"{name}.weight": (channels, half, 2 * ratio), f"{name}.bias": (half,)}
        channels, at = half, at + 2
        found |= _blocks(codec, at, channels)
        at += codec["n_residual_layers"]
    return found | _conv(f"{at + 1}.conv", 1, channels, codec["last_kernel_size"])


def _blocks(codec: dict[str, Any], at: int, channels: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    inner = channels // codec["compress"]
    for block in range(at, at + codec["n_residual_layers"]):
        found |= _conv(f"{block}.block.1.conv", inner, channels, codec["residual_kernel_size"])
        found |= _conv(f"{block}.block.3.conv", channels, inner, 1)
    return found


def _conv(name: str, out: int, channels: int, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, channels, width), f"{name}.bias": (out,)}


class Config(SimpleNamespace):
    """A configuration as upstream's package reads it."""

    def model_dump(self, mode: str) -> dict[str, Any]:
        return {
            name: value.model_dump(mode) if isinstance(value, Config) else value for name, value in vars(self).items()
        }


def _read(told: dict[str, Any]) -> Config:
    made = {"max_period": 10000.0} | told if "layer_scale" in told else told
    nested = {name: _read(value) if isinstance(value, dict) else value for name, value in made.items()}
    read = Config(**nested)
    if "replace_characters" in told:
        read.replace_characters = told["replace_characters"]
    return read


def upstream(tokenizer: Path, flow: str = "pointwise", *, small: bool = True, **given: Any) -> Upstream:
    """Return a model as if the package had loaded it; `given` goes to `config`."""
    told = config(flow, small=small, tokenizer=str(tokenizer), **given)
    model = SimpleNamespace(has_voice_cloning=True)
    return Upstream(model, _read(told), "english_tiny", weights(told), tokenizer)


def build(folder: Path, tokenizer: Path, flow: str = "pointwise", *, int8: bool = False, **given: Any) -> Facts:
    """Export one into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return pocket.files(upstream(tokenizer, flow, **given), folder, int8=int8)
