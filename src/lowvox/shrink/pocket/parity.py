"""Comparing graphs of Pocket TTS with the model they were made of: the same prompt, text and noise, step by step.

Each graph is given what upstream's run gave the part that it stands for, so that differences do not add up; at the end
all of them speak together. Knows how upstream runs, and nothing of files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.pocket.cache import Cache
from lowvox.engines.pocket.layout import BEGIN
from lowvox.onnx.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import CacheFacts, Facts, GraphFacts

    Floats = NDArray[np.float32]

_PIECE = 4  # frames that a codec is given at once
_TOKENS = 24
_HEARD, _SOUNDED = ("audio", "conditioning"), ("latents", "audio")  # what a half of the codec takes and gives
_POSITIONS = 4096  # that the comparison may take; what is not used takes no memory


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference of one thing, and the largest number among upstream's."""

    difference: float
    largest: float

    @property
    def relative(self) -> float:
        """The difference as a part of the largest number."""
        return self.difference / self.largest if self.largest else self.difference


@dataclass(frozen=True, slots=True)
class Run:
    """What upstream made of a prompt and a text: all float32, by frame where there are frames.

    `voice` are keys and values, [layers, 2, positions, heads, size]; without cloning there are no prompt and no voice.
    """

    prompt: Floats
    conditioning: Floats
    voice: Floats
    rows: Floats
    noise: Floats
    condition: Floats
    eos: Floats
    latents: Floats
    audio: Floats


def reference(model: Any, frames: int, seconds: float, steps: int, *, cloning: bool = True, seed: int = 0) -> Run:
    """Run upstream's model for so many frames behind a prompt of noise; `steps` of the flow.

    Without `cloning`, weights have no true encoder, and the voice is noise itself.
    """
    import torch

    dice = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        frame = model.mimi.frame_size
        prompt = torch.randn(1, 1, math.ceil(seconds * model.mimi.frame_rate) * frame, generator=dice) * 0.1
        conditioning = model._encode_audio(prompt)
        if not cloning:
            conditioning = torch.randn(conditioning.shape, generator=dice) * 0.1
        state, voice = _voice(model, conditioning)
        tokens = torch.randint(1, model.flow_lm.conditioner.embed.num_embeddings, (1, _TOKENS), generator=dice)
        model._expand_kv_cache(state, voice.shape[2] + _TOKENS + frames)
        model._run_flow_lm_and_increment_step(model_state=state, text_tokens=tokens)
        noise = torch.randn(frames, model.flow_lm.ldim, generator=dice) * 0.3**0.5
        condition, eos, latents = _spoken(model, state, noise, steps)
        audio = _sounded(model, latents)
    rows = model.flow_lm.conditioner.embed.weight.detach()[tokens[0]]
    found = (prompt[0, 0], conditioning[0], voice, rows, noise, condition, eos, latents, audio)
    return Run(*(each.float().numpy() for each in found))


def _voice(model: Any, conditioning: Any) -> tuple[Any, Any]:
    """Return upstream's state behind a voice's conditioning, and its keys and values."""
    import torch

    if model.flow_lm.insert_bos_before_voice:
        conditioning = torch.cat([model.flow_lm.bos_before_voice, conditioning], dim=1)
    state = _states().init_states(model.flow_lm, batch_size=1, sequence_length=conditioning.shape[1])
    model._run_flow_lm_and_increment_step(model_state=state, audio_conditioning=conditioning)
    caches = [
        state[f"transformer.layers.{at}.self_attn"]["cache"] for at in range(len(model.flow_lm.transformer.layers))
    ]
    return state, torch.stack(caches)[:, :, 0].clone()


def _spoken(model: Any, state: Any, noise: Any, steps: int) -> tuple[Any, Any, Any]:
    """Return condition, end and latent of each frame."""
    import torch

    upstream = import_module("pocket_tts.models.flow_lm")
    decode = {
        "lsd": upstream.lsd_decode,
        "flow_matching": upstream.ot_decode,
        "drifting": upstream.drifting_decode,
        "pointwise": upstream.pointwise_decode,
    }[model.flow_lm.flow_type]
    latent = torch.full((1, 1, model.flow_lm.ldim), math.nan)
    conditions, ends, latents = [], [], []
    none = torch.zeros(1, 0, model.flow_lm.dim)
    for drawn in noise:
        given = torch.where(torch.isnan(latent), model.flow_lm.bos_emb, latent)
        z = model.flow_lm.backbone(model.flow_lm.input_linear(given), none, latent, model_state=state)[:, -1]
        _advance(model.flow_lm, state, 1)
        made = decode(lambda *told, z=z: model.flow_lm.flow_net(z, *told), drawn[None], steps)
        latent = made[:, None]
        conditions.append(z[0])
        ends.append(model.flow_lm.out_eos(z)[0])
        latents.append(made[0])
    return torch.stack(conditions), torch.stack(ends), torch.stack(latents)


def _sounded(model: Any, latents: Any) -> Any:
    """Return the sound of latents, frame by frame as upstream makes it."""
    import torch

    stride = int(model.mimi.encoder_frame_rate / model.mimi.frame_rate)
    state = _states().init_states(model.mimi, batch_size=1, sequence_length=len(latents) * stride)
    sounds = []
    for latent in latents[None].split(1, dim=1):
        plain = latent * model.flow_lm.emb_std + model.flow_lm.emb_mean
        sounds.append(model.mimi.decode_from_latent(plain, state)[0, 0])
        _advance(model.mimi, state, stride)
    return torch.cat(sounds)


def _advance(module: Any, state: Any, count: int) -> None:
    _states().increment_steps(module, state, increment=count)


def _states() -> Any:
    """Return what upstream makes and advances its states with."""
    return import_module("pocket_tts.modules.stateful_module")


def compare(folder: Path, facts: Facts, run: Run, steps: int) -> dict[str, Difference]:
    """Run the graphs in a folder and return how each differs, by its name; `together` is all of them in one."""
    sessions = {name: Session(folder / graph.file) for name, graph in facts.graphs.items()}
    begin = np.load(folder / BEGIN) if facts.bos else np.zeros((0, facts.width), np.float32)
    speaker = _Speaker(sessions, facts, run.rows.shape[1], steps)
    try:
        speaker.read(audio=np.concatenate([begin, run.conditioning]))
        found = {"voice": _difference(speaker.cache.read(), run.voice)}
        if "encoder" in sessions:
            heard = _streamed(sessions["encoder"], facts.graphs["encoder"], _HEARD, run.prompt, facts.frame)
            found["encoder"] = _difference(heard, run.conditioning)
        speaker.read(text=run.rows)
        found |= _stepped(speaker, run)
        speaker.cache.back(run.voice.shape[2] + len(run.rows))
        for name, latents in (("decoder", run.latents), ("together", speaker.spoken(run.noise))):
            sound = _streamed(sessions["decoder"], facts.graphs["decoder"], _SOUNDED, latents, 1)
            found[name] = _difference(sound, run.audio)
    finally:
        for session in sessions.values():
            session.close()
    return found


def moved(kind: str, session: Session, condition: Floats, noise: Floats, steps: int) -> Floats:
    """Return the latent that a flow makes of noise, [1, latent]."""
    if kind in ("drifting", "pointwise"):
        made = session.run({"condition": condition, "x": noise})[0]
        return made if kind == "drifting" else np.add(noise, made, dtype=np.float32)
    x = noise
    for step in range(steps):
        times = {"s": step, "t": step + 1} if kind == "lsd" else {"t": step}
        feeds = {name: np.full((1, 1), at / steps, np.float32) for name, at in times.items()}
        made = session.run({"condition": condition, "x": x, **feeds})[0]
        x = np.add(x, made / np.float32(steps), dtype=np.float32)
    return x


class _Speaker:
    """The backbone with its cache, and the flow."""

    def __init__(self, sessions: Mapping[str, Session], facts: Facts, rank: int, steps: int) -> None:
        self._backbone, self._flow = sessions["backbone"], sessions["flow"]
        self._kind, self._steps = facts.flow, steps
        widths = {"text": rank, "audio": facts.width, "latents": facts.latent}
        self._nothing = {name: np.zeros((0, width), np.float32) for name, width in widths.items()}
        self.begin = np.full((1, facts.latent), np.nan, np.float32)
        self.cache = Cache(_cached(facts.graphs["backbone"]), _POSITIONS)

    def read(self, **given: Floats) -> tuple[Floats, Floats]:
        """Take positions in; return what is said of the last of them: condition and end."""
        made = _ran(self._backbone, self._nothing | given | self.cache.feeds())
        self.cache.add(made)
        return made["condition"], made["eos"]

    def moved(self, condition: Floats, noise: Floats) -> Floats:
        """Return the latent of a condition."""
        return moved(self._kind, self._flow, condition, noise, self._steps)

    def spoken(self, noise: Floats) -> Floats:
        """Return the latents of as many frames as there is noise for, each made of the one before it."""
        latent, latents = self.begin, []
        for drawn in noise:
            latent = self.moved(self.read(latents=latent)[0], drawn[None])
            latents.append(latent)
        return np.concatenate(latents)


def _stepped(speaker: _Speaker, run: Run) -> dict[str, Difference]:
    """Compare frame by frame, each behind upstream's own frames."""
    before, said, moved = speaker.begin, [], []
    for at, drawn in enumerate(run.noise):
        said.append(speaker.read(latents=before))
        moved.append(speaker.moved(run.condition[at : at + 1], drawn[None]))
        before = run.latents[at : at + 1]
    conditions, ends = (np.concatenate(each) for each in zip(*said, strict=True))
    return {
        "backbone": _difference(conditions, run.condition),
        "end": _difference(ends, run.eos),
        "flow": _difference(np.concatenate(moved), run.latents),
    }


def _streamed(session: Session, graph: GraphFacts, names: tuple[str, str], given: Floats, size: int) -> Floats:
    """Run one half of the codec over all it is given, some frames of `size` at once; return what comes out."""
    cache = Cache(_cached(graph), _PIECE * graph.stride)
    states = {state.name: np.zeros(state.shape, np.float32) for state in graph.states}
    parts = []
    for at in range(0, len(given), _PIECE * size):
        feeds = {
            names[0]: given[at : at + _PIECE * size],
            "offset": np.array([cache.position]),
            "first": np.array([not at]),
        }
        wanted = {key: value for key, value in feeds.items() if key in session.inputs}
        made = _ran(session, wanted | cache.feeds() | states)
        cache.add(made)
        states = {state: made[f"next_{state}"] for state in states}
        parts.append(made[names[1]])
    return np.concatenate(parts)


def _ran(session: Session, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return dict(zip(session.outputs, session.run(feeds), strict=True))


def _cached(graph: GraphFacts) -> CacheFacts:
    assert graph.cache is not None
    return graph.cache


def _difference(found: Floats, expected: Floats) -> Difference:
    if found.shape != expected.shape or not np.isfinite(found).all():
        return Difference(math.inf, float(np.abs(expected).max()))
    return Difference(float(np.abs(found - expected).max()), float(np.abs(expected).max()))
