"""Graphs of Pocket TTS 1.0.3 with whole caches, in the names, order and types of the exports that others publish.

For benchmarks/pocket_foreign_upstream.py, in a Python with torch and that version; see docs/pocket.md. The graphs are
traced from the package's own modules; of those only what a tracer cannot follow is replaced: writing in place, and
positions kept as the length of an array.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from pocket_tts.conditioners.base import TokenizedText  # type: ignore[import-not-found]  # only where upstream is
from pocket_tts.modules import conv, mimi_transformer, transformer  # type: ignore[import-not-found]
from pocket_tts.modules.stateful_module import init_states  # type: ignore[import-not-found]
from torch.nn import functional

if TYPE_CHECKING:
    from pathlib import Path

    State = dict[str, dict[str, torch.Tensor]]

LATENT, WIDTH = 32, 1024


def write(model: Any, folder: Path, capacity: int) -> None:
    """Write the five graphs, and three of them in 8 bits."""
    folder.mkdir(exist_ok=True)
    _patch()
    warnings.simplefilter("ignore")
    main, mimi = init_states(model.flow_lm, 1, capacity), init_states(model.mimi, 1, capacity)
    latent, text = torch.randn(1, 1, LATENT), torch.randn(1, 2, WIDTH)
    axes = {"sequence": {1: "frames"}, "text_embeddings": {1: "tokens"}}
    _export(_Main(model, main), (latent, text, *_flat(main)), folder / "flow_lm_main.onnx", axes)
    flow = (torch.randn(1, WIDTH), torch.zeros(1, 1), torch.ones(1, 1), torch.randn(1, LATENT))
    names = [["c", "s", "t", "x"], ["flow_dir"]]
    _export(
        model.flow_lm.flow_net, flow, folder / "flow_lm_flow.onnx", {name: {0: "batch"} for name in names[0]}, names
    )
    _export(_Mimi(model, mimi), (latent, *_flat(mimi)), folder / "mimi_decoder.onnx", {"latent": {1: "frames"}})
    ids = (torch.tensor([[1, 2]]),)
    names = [["token_ids"], ["embeddings"]]
    _export(_Text(model), ids, folder / "text_conditioner.onnx", {"token_ids": {1: "tokens"}}, names)
    names = [["audio"], ["latents"]]
    sound = (torch.randn(1, 1, 4 * 1920),)
    _export(_Encoder(model), sound, folder / "mimi_encoder.onnx", {"audio": {2: "samples"}}, names)
    _round(folder)


def _round(folder: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    for name in ("flow_lm_main", "flow_lm_flow", "mimi_decoder"):
        quantize_dynamic(
            folder / f"{name}.onnx",
            folder / f"{name}_int8.onnx",
            op_types_to_quantize=["MatMul"],
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": 1},
        )


def _export(module: Any, given: Any, file: Path, axes: Any, names: list[list[str]] | None = None) -> None:
    """Trace a module; the names of what has states follow from how many it has."""
    if names is None:
        own = ["sequence", "text_embeddings"] if len(axes) == 2 else ["latent"]
        gives = ["conditioning", "eos_logit"] if len(axes) == 2 else ["audio_frame"]
        count = range(len(given) - len(own))
        names = [own + [f"state_{at}" for at in count], gives + [f"out_state_{at}" for at in count]]
    with torch.no_grad():
        torch.onnx.export(
            module,
            given,
            str(file),
            input_names=names[0],
            output_names=names[1],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def _flat(state: State) -> list[torch.Tensor]:
    return [state[module][key] for module in sorted(state) for key in sorted(state[module])]


def _nested(like: State, flat: tuple[torch.Tensor, ...]) -> State:
    left = iter(flat)
    return {module: {key: next(left) for key in sorted(like[module])} for module in sorted(like)}


def _later(state: State, key: str, count: Any) -> None:
    for kept in state.values():
        if key in kept:
            kept[key] = kept[key] + count


class _Main(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The backbone: what the next frame depends on, the logit of the end, and all of its states."""

    def __init__(self, model: Any, like: State) -> None:
        super().__init__()
        self.lm, self.like = model.flow_lm, like

    def forward(self, sequence: Any, text: Any, *flat: Any) -> Any:
        state = _nested(self.like, flat)
        begun = torch.where(torch.isnan(sequence), self.lm.bos_emb, sequence)
        made = self.lm.transformer(torch.cat([text, self.lm.input_linear(begun)], 1), state)
        made = self.lm.out_norm(made)[:, -1]
        _later(state, "step", sequence.shape[1] + text.shape[1])
        return made, self.lm.out_eos(made), *_flat(state)


class _Mimi(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Frames to sound, and all states of the codec, also of the half that hears."""

    def __init__(self, model: Any, like: State) -> None:
        super().__init__()
        self.lm, self.mimi, self.like = model.flow_lm, model.mimi, like

    def forward(self, latent: Any, *flat: Any) -> Any:
        state = _nested(self.like, flat)
        whole = (latent * self.lm.emb_std + self.lm.emb_mean).transpose(1, 2)
        made = self.mimi.decode_from_latent(self.mimi.quantizer(whole), state)
        _later({name: kept for name, kept in state.items() if "decoder" in name}, "offset", 16 * latent.shape[1])
        return made, *_flat(state)


class _Text(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.conditioner = model.flow_lm.conditioner

    def forward(self, ids: Any) -> Any:
        return self.conditioner(TokenizedText(ids))


class _Encoder(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.mimi, self.weight = model.mimi, model.flow_lm.speaker_proj_weight

    def forward(self, sound: Any) -> Any:
        made = self.mimi.encoder(sound, model_state=None)
        (made,) = self.mimi.encoder_transformer(made, model_state=None)
        return functional.linear(self.mimi._to_framerate(made).transpose(1, 2), self.weight)


def _patch() -> None:
    """Put what can be traced in the place of what cannot."""
    attention = transformer.StreamingMultiheadAttention
    attention.init_state, attention.forward = _attention_state, _attend
    mimi_transformer.MimiStreamingMultiheadAttention._complete_kv = _ring
    conv.StreamingConv1d.forward, conv.StreamingConvTranspose1d.forward = _convolve, _transpose


def _attention_state(self: Any, batch_size: int, sequence_length: int) -> dict[str, torch.Tensor]:
    size = self.embed_dim // self.num_heads
    return {
        "step": torch.zeros(1, dtype=torch.long),
        "current_end": torch.zeros(0),
        "cache": torch.full((2, batch_size, sequence_length, self.num_heads, size), float("nan")),
    }


def _attend(self: Any, query: Any, model_state: Any) -> Any:
    state = self.get_state(model_state)
    begin, count = state["step"], query.shape[1]
    made = self.in_proj(query).view(1, count, 3, self.num_heads, -1)
    q, k, v = made[:, :, 0], made[:, :, 1], made[:, :, 2]
    q, k = self.rope(q, k, offset=begin)
    cache = state["cache"].clone()
    cache[:, :, begin : begin + count] = torch.stack([k, v])
    state["cache"] = cache
    seen = cache[:, :, : begin + count]
    places = torch.arange(cache.shape[2])[: begin + count]
    mask = places[None] <= torch.arange(count)[:, None] + begin
    q, k, v = (each.transpose(1, 2) for each in (q, seen[0], seen[1]))
    made = functional.scaled_dot_product_attention(q, k, v, mask)
    return self.out_proj(made.transpose(1, 2).reshape(1, count, -1))


def _ring(self: Any, k: Any, v: Any, model_state: Any) -> Any:
    if model_state is None:
        return mimi_transformer.KVCacheResult.from_kv(k, v)
    state = self.get_state(model_state)
    cache, end = state["cache"], state["end_offset"]
    capacity, count = cache.shape[3], k.shape[2]
    places = (end + torch.arange(count)) % capacity
    index = places.view(1, 1, 1, -1, 1).expand(2, 1, k.shape[1], -1, k.shape[3])
    state["cache"] = cache.scatter(3, index, torch.stack([k, v]))
    state["end_offset"] = end + count
    last = end + count - 1
    behind = (last - torch.arange(capacity)) % capacity  # how long ago a place was written to
    positions = last - behind
    positions = torch.where(positions < 0, torch.full_like(positions, -1), positions)
    return mimi_transformer.KVCacheResult(state["cache"][0], state["cache"][1], positions[None])


def _convolve(self: Any, x: Any, model_state: Any) -> Any:
    state = self.get_state(model_state) if model_state is not None else self.init_state(1, 0)
    before = state["previous"]
    if before.shape[-1] == 0:
        return self.conv(x)
    if self.pad_mode == "replicate":
        before = torch.where(state["first"].view(-1, 1, 1), x[..., :1], before)
        state["first"] = torch.zeros_like(state["first"])
    x = torch.cat([before, x], -1)
    state["previous"] = x[..., -before.shape[-1] :]
    return self.conv(x)


def _transpose(self: Any, x: Any, mimi_state: Any) -> Any:
    state = self.get_state(mimi_state)
    before, made = state["partial"], self.convtr(x)
    count = before.shape[-1]
    made = torch.cat([made[..., :count] + before, made[..., count:]], -1)
    left = made[..., -count:]
    state["partial"] = left if self.convtr.bias is None else left - self.convtr.bias[:, None]
    return made[..., :-count]
