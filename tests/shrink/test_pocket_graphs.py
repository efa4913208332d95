"""The graphs of Pocket TTS against the same networks written down plainly, and against themselves in other pieces.

Plainly means: over all positions at once, with no cache and nothing to remember.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.engines.pocket.cache import Cache
from lowvox.onnx.session import Session
from lowvox.shrink.pocket.parity import moved
from replicas import pocket as replica

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Facts

    Floats = NDArray[Any]

FRAMES = 4
# Of one fixture for the module, which no example changes.
lasting = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pieces = st.lists(st.integers(1, 3), min_size=FRAMES, max_size=FRAMES)


class Made:
    """An exported stand-in, its weights, and its sessions."""

    def __init__(self, folder: Path, tokenizer: Path, *, small: bool) -> None:
        self._expected: dict[str, Floats] = {}
        self.told = replica.config(small=small)
        self.weights = replica.weights(self.told)
        self.facts: Facts = replica.build(folder, tokenizer, small=small)
        self.sessions = {name: Session(folder / graph.file) for name, graph in self.facts.graphs.items()}

    def once(self, name: str, make: Callable[[], Floats]) -> Floats:
        return self._expected[name] if name in self._expected else self._expected.setdefault(name, make())

    def below(self, start: str) -> dict[str, Floats]:
        return {name.removeprefix(start): each for name, each in self.weights.items() if name.startswith(start)}

    def run(self, name: str, cache: Cache, feeds: dict[str, Any]) -> dict[str, Floats]:
        session = self.sessions[name]
        made = dict(zip(session.outputs, session.run(feeds | cache.feeds()), strict=True))
        cache.add(made)
        return made

    def cache(self, name: str, capacity: int = 100) -> Cache:
        told = self.facts.graphs[name].cache
        assert told is not None
        return Cache(told, capacity)


@pytest.fixture(scope="module", params=[True, False], ids=["small", "large"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("pocket")
    (folder / "any.model").write_bytes(b"any")
    found = Made(folder / "model", folder / "any.model", small=request.param)
    yield found
    for session in found.sessions.values():
        session.close()


def close(found: Floats, expected: Floats) -> bool:
    return found.shape == expected.shape and bool(np.abs(found - expected).max() < 1e-5 * np.abs(expected).max())


def norm(x: Floats, weights: dict[str, Floats], name: str, epsilon: float = 1e-5) -> Floats:
    away = x - x.mean(-1, keepdims=True)
    even = away / np.sqrt((away**2).mean(-1, keepdims=True) + epsilon)
    made: Floats = np.add(even * weights[f"{name}.weight"], weights[f"{name}.bias"])
    return made


def turned(x: Floats) -> Floats:
    """Rotate each pair of [positions, heads, size] by its position."""
    half = x.shape[-1] // 2
    angles = np.arange(len(x))[:, None, None] * np.exp(-np.arange(half) * np.log(10000) / half)
    whole = (x[..., ::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([whole.real, whole.imag], -1).reshape(x.shape)


def transformer(x: Floats, weights: dict[str, Floats], name: str, told: dict[str, Any]) -> Floats:
    heads, context = told["num_heads"], told.get("context") or len(x)
    groups = heads // (told.get("num_kv_heads") or heads)
    wide = told.get("attn_dim") or told["d_model"]
    size, at = wide // heads, np.arange(len(x))
    behind = at[:, None] - at
    hidden = np.where((behind < 0) | (behind >= context), -np.inf, 0)
    for layer in (f"{name}.layers.{number}" for number in range(told["num_layers"])):
        given = norm(x, weights, f"{layer}.norm1") @ weights[f"{layer}.self_attn.in_proj.weight"].T
        q, k, v = np.split(given, [wide, wide + wide // groups], axis=1)
        q, k = turned(q.reshape(len(x), -1, size)), turned(k.reshape(len(x), -1, size))
        k, v = (np.repeat(each.reshape(len(x), -1, size), groups, axis=1) for each in (k, v))
        scores = np.exp(np.einsum("qhd,khd->hqk", q, k) / size**0.5 + hidden)
        heard = np.einsum("hqk,khd->qhd", scores / scores.sum(-1, keepdims=True), v).reshape(len(x), wide)
        one = np.ones(1)
        scale = [weights.get(f"{layer}.layer_scale_{which}.scale", one) for which in (1, 2)]
        x = x + heard @ weights[f"{layer}.self_attn.out_proj.weight"].T * scale[0]
        inner = norm(x, weights, f"{layer}.norm2") @ weights[f"{layer}.linear1.weight"].T
        bent = inner / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (inner + 0.044715 * inner**3)))
        x = x + bent @ weights[f"{layer}.linear2.weight"].T * scale[1]
    return x


def convolved(x: Floats, weights: dict[str, Floats], name: str, stride: int = 1, dilation: int = 1) -> Floats:
    """Add up, for each row that comes out, what the kernel [out, in, width] sees up to it."""
    kernel, bias = weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"]
    back = (kernel.shape[2] - 1) * dilation + 1 - stride
    long = np.concatenate([np.zeros((back, x.shape[1])), x])
    ends = [at * dilation + len(x) for at in range(kernel.shape[2])]
    parts = [long[end - len(x) : end : stride] @ kernel[:, :, at].T for at, end in enumerate(ends)]
    made: Floats = np.sum(parts, axis=0) + bias
    return made


def transposed(x: Floats, kernel: Floats, bias: Floats | float, stride: int) -> Floats:
    """Lay down each row times the kernel [in, out, 2 * stride], and cut off what hangs over."""
    laid = np.einsum("pi,iot->pto", x, kernel)
    new, old = laid[:, :stride], np.concatenate([np.zeros_like(laid[:1, stride:]), laid[:-1, stride:]])
    made: Floats = (new + old).reshape(len(x) * stride, -1) + bias
    return made


def elu(x: Floats) -> Floats:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def block(x: Floats, weights: dict[str, Floats], name: str, dilation: int) -> Floats:
    inner = convolved(elu(x), weights, f"{name}.block.1", dilation=dilation)
    return x + convolved(elu(inner), weights, f"{name}.block.3")


def projected(x: Floats, weights: dict[str, Floats], name: str, told: dict[str, Any]) -> Floats:
    if f"{name}.input_proj.weight" not in weights:
        return transformer(x, weights, f"{name}.transformer", told)
    x = transformer(x @ weights[f"{name}.input_proj.weight"].T, weights, f"{name}.transformer", told)
    return x @ weights[f"{name}.output_projs.0.weight"].T


def decoded(latents: Floats, made: Made) -> Floats:
    weights, mimi = made.below("mimi."), made.told["mimi"]
    x = latents * made.weights["flow_lm.emb_std"] + made.weights["flow_lm.emb_mean"]
    x = x @ weights["quantizer.output_proj.weight"][:, :, 0].T
    spread = weights["upsample.convtr.convtr.weight"]
    x = np.concatenate([transposed(x[:, at : at + 1], spread[at : at + 1], 0.0, 16) for at in range(len(spread))], 1)
    x = projected(x, weights, "decoder_transformer", mimi["decoder_transformer"] or mimi["transformer"])
    codec = mimi["decoder_seanet"] or mimi["seanet"]
    x, at = convolved(x, weights, "decoder.model.0"), 1
    for ratio in codec["ratios"]:
        name = f"decoder.model.{at + 1}.convtr"
        x, at = transposed(elu(x), weights[f"{name}.weight"], weights[f"{name}.bias"], ratio), at + 2
        for layer in range(codec["n_residual_layers"]):
            x, at = block(x, weights, f"decoder.model.{at}", 2**layer), at + 1
    return convolved(elu(x), weights, f"decoder.model.{at + 1}")[:, 0]


def encoded(audio: Floats, made: Made) -> Floats:
    weights, mimi = made.below("mimi."), made.told["mimi"]
    x, at = convolved(audio[:, None], weights, "encoder.model.0"), 1
    for ratio in reversed(mimi["seanet"]["ratios"]):
        x = block(x, weights, f"encoder.model.{at}", 1)
        x, at = convolved(elu(x), weights, f"encoder.model.{at + 2}", stride=ratio), at + 3
    x = projected(
        convolved(elu(x), weights, f"encoder.model.{at + 1}"), weights, "encoder_transformer", mimi["transformer"]
    )
    long = np.concatenate([np.repeat(x[:1], 16, axis=0), x])
    kernel = weights["downsample.conv.conv.weight"]
    rows = [np.einsum("ti,oit->o", long[16 * row : 16 * row + 32], kernel) for row in range(len(x) // 16)]
    return np.stack(rows) @ made.weights["flow_lm.speaker_proj_weight"].T


def streamed(made: Made, name: str, given: Floats, size: int, lengths: list[int]) -> Floats:
    """Run one half of the codec in pieces of so many frames of `size`, the last ones as long as needed."""
    cache = made.cache(name)
    told = made.facts.graphs[name]
    states: dict[str, Any] = {state.name: np.zeros(state.shape, np.float32) for state in told.states}
    key, result = ("latents", "audio") if name == "decoder" else ("audio", "conditioning")
    parts, at = [], 0
    for length in lengths:
        piece = given[at * size : (at + length) * size]
        if not len(piece):
            break
        feeds = {key: piece, "offset": np.array([cache.position])}
        if name == "encoder":
            feeds["first"] = np.array([at == 0])
        found = made.run(name, cache, feeds | states)
        states = {state: found[f"next_{state}"] for state in states}
        parts.append(found[result])
        at += length
    return np.concatenate(parts)


def test_backbone_is_the_network_written_down(made: Made) -> None:
    dice, weights = np.random.default_rng(1), made.below("flow_lm.")
    rows = weights["conditioner.embed.weight"][[3, 9, 4]]
    audio = dice.standard_normal((5, made.facts.width)).astype(np.float32)
    latents = dice.standard_normal((4, made.facts.latent)).astype(np.float32)
    latents[0] = np.nan
    found = made.run("backbone", made.cache("backbone"), {"text": rows, "audio": audio, "latents": latents})
    text = rows @ weights["conditioner.proj.weight"].T if "conditioner.proj.weight" in weights else rows
    plain = np.where(np.isnan(latents), weights["bos_emb"], latents) @ weights["input_linear.weight"].T
    x = transformer(np.concatenate([text, audio, plain]), weights, "transformer", made.told["flow_lm"]["transformer"])
    last = norm(x[-1:], weights, "out_norm")
    last = last @ weights["z_proj.weight"].T if "z_proj.weight" in weights else last
    assert close(found["condition"], last)
    assert close(found["eos"], last @ weights["out_eos.weight"].T + weights["out_eos.bias"])


@lasting
@given(lengths=pieces)
def test_backbone_in_pieces_says_the_same(made: Made, lengths: list[int]) -> None:
    latents = np.random.default_rng(2).standard_normal((sum(lengths), made.facts.latent)).astype(np.float32)
    rank = made.weights["flow_lm.conditioner.embed.weight"].shape[1]
    nothing = {"text": np.zeros((0, rank), np.float32), "audio": np.zeros((0, made.facts.width), np.float32)}
    cache, whole = made.cache("backbone"), made.cache("backbone")
    found: dict[str, Floats] = {}
    for piece in np.split(latents, np.cumsum(lengths)[:-1]):
        found = made.run("backbone", cache, {**nothing, "latents": piece})
    expected = made.run("backbone", whole, {**nothing, "latents": latents})
    assert close(found["condition"], expected["condition"])
    assert close(cache.read(), whole.read())


@lasting
@given(lengths=pieces)
def test_decoder_is_the_network_written_down_however_many_frames_it_is_given(made: Made, lengths: list[int]) -> None:
    latents = np.random.default_rng(3).standard_normal((FRAMES, made.facts.latent)).astype(np.float32)
    expected = made.once("decoded", lambda: decoded(latents, made))
    assert close(streamed(made, "decoder", latents, 1, lengths), expected)


@lasting
@given(lengths=pieces)
def test_encoder_is_the_network_written_down_however_many_frames_it_is_given(made: Made, lengths: list[int]) -> None:
    audio = np.random.default_rng(4).standard_normal(FRAMES * made.facts.frame).astype(np.float32)
    expected = made.once("encoded", lambda: encoded(audio, made))
    assert close(streamed(made, "encoder", audio, made.facts.frame, lengths), expected)


def test_what_is_cached_beyond_the_context_is_not_seen(made: Made) -> None:
    latents = np.random.default_rng(5).standard_normal((1, made.facts.latent)).astype(np.float32)
    states = {state.name: np.zeros(state.shape, np.float32) for state in made.facts.graphs["decoder"].states}
    feeds = {"latents": latents, "offset": np.array([160]), **states}
    told = made.facts.graphs["decoder"].cache
    assert told is not None
    assert told.context is not None
    kept = np.random.default_rng(6).standard_normal((told.layers, 2, told.context + 6, told.heads, told.size))
    session = made.sessions["decoder"]

    def sound(rows: NDArray[np.float64]) -> Floats:
        long = np.concatenate([np.zeros_like(rows[:, :, :1]), rows], axis=2).astype(np.float32)
        caches = {f"{name}{at}": long[at, of] for at in range(told.layers) for of, name in enumerate("kv")}
        found: Floats = session.run(feeds | caches, ["audio"])[0]
        return found

    all_of_them = sound(kept)
    assert close(all_of_them, sound(kept[:, :, 1 - told.context :]))
    assert not close(all_of_them, sound(kept[:, :, 2 - told.context :]))


class Net:
    """The flow net written down."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        drawn = replica.weights(replica.config(kind))
        self.weights = {name.removeprefix("flow_lm.flow_net."): each for name, each in drawn.items()}

    def linear(self, x: Floats, name: str) -> Floats:
        return np.add(x @ self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"])

    def embedded(self, time: float, name: str) -> Floats:
        angles = time * self.weights[f"{name}.freqs"][None]
        x = self.linear(np.concatenate([np.cos(angles), np.sin(angles)], 1), f"{name}.mlp.0")
        x = self.linear(silu(x), f"{name}.mlp.2")
        made: Floats = x * self.weights[f"{name}.mlp.3.alpha"] / np.sqrt(1e-5 + x.var(-1, ddof=1, keepdims=True))
        return made

    def direction(self, condition: Floats, x: Floats, *times: float) -> Floats:
        y = self.linear(condition, "cond_embed")
        if times:
            y = y + sum(self.embedded(time, f"time_embed.{at}") for at, time in enumerate(times)) / len(times)
        x = self.linear(x, "input_proj")
        for name in ("res_blocks.0", "res_blocks.1"):
            shift, scale, gate = np.split(self.linear(silu(y), f"{name}.adaLN_modulation.1"), 3, axis=1)
            inner = norm(x, self.weights, f"{name}.in_ln", 1e-6) * (1 + scale) + shift
            x = x + gate * self.linear(silu(self.linear(inner, f"{name}.mlp.0")), f"{name}.mlp.2")
        shift, scale = np.split(self.linear(silu(y), "final_layer.adaLN_modulation.1"), 2, axis=1)
        plain = {"end.weight": np.ones(1, np.float32), "end.bias": np.zeros(1, np.float32)}
        return self.linear(norm(x, plain, "end", 1e-6) * (1 + scale) + shift, "final_layer.linear")

    def moved(self, condition: Floats, noise: Floats, steps: int) -> Floats:
        if self.kind == "drifting":
            return self.direction(condition, noise)
        if self.kind == "pointwise":
            return noise + self.direction(condition, noise)
        x = noise
        for step in range(steps):
            times = (step / steps, (step + 1) / steps)[: 2 if self.kind == "lsd" else 1]
            x = x + self.direction(condition, x, *times) / steps
        return x


def silu(x: Floats) -> Floats:
    made: Floats = np.divide(x, 1 + np.exp(-x))
    return made


@pytest.mark.parametrize("kind", ["lsd", "flow_matching", "drifting", "pointwise"])
def test_flow_is_the_network_written_down(kind: str, tmp_path: Path) -> None:
    (tmp_path / "any.model").write_bytes(b"any")
    facts = replica.build(tmp_path / "model", tmp_path / "any.model", kind)
    dice = np.random.default_rng(7)
    condition, noise = (dice.standard_normal((1, size)).astype(np.float32) for size in (facts.condition, facts.latent))
    session = Session(tmp_path / "model" / facts.graphs["flow"].file)
    assert close(moved(kind, session, condition, noise, 3), Net(kind).moved(condition, noise, 3))
    session.close()
