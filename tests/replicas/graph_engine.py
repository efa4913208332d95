"""Engines that run the replica graphs: addressed as "replicas.graph_engine:Graph", the model's path being the graph's.

Shaped like a recogniser that runs the decoder over as many frames as it has heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.onnx import runtime
from lowvox.onnx.session import Session
from replicas import naughty

if TYPE_CHECKING:
    from lowvox.types import Model, Profile, Word

_LATENT, _FRAME_BYTES = 192, 2 * 512


class Graph(naughty.Engine):
    """Through lowvox's own session."""

    def load(self, model: Model, profile: Profile) -> Graph:
        """Load the graph."""
        assert model.path
        self.session: Any = Session(model.path, profile)
        return self

    def open(self, **options: object) -> Stream:
        """Open a stream."""
        return Stream(self)

    def close(self) -> None:
        """Give the graph back."""
        self.session.close()

    def decode(self, z: np.ndarray[Any, Any]) -> None:
        """Run."""
        self.session.run({"z": z})


class Usual(Graph):
    """Through a session with its defaults, as programs usually do; `del` is all that closes it."""

    def load(self, model: Model, profile: Profile) -> Usual:
        """Load the graph."""
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = profile.threads
        self.session = onnxruntime.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])
        return self

    def close(self) -> None:
        """Forget the graph."""
        del self.session

    def decode(self, z: np.ndarray[Any, Any]) -> None:
        """Run."""
        self.session.run(None, {"z": z})


class Stream(naughty.Stream):
    """Decodes when an utterance ends."""

    def __init__(self, engine: Graph) -> None:
        super().__init__(0)
        self.engine = engine

    def finish(self) -> tuple[Word, ...]:
        """Decode noise of the length of the sound."""
        frames = max(1, len(self.heard) // _FRAME_BYTES)
        self.engine.decode(np.random.default_rng(0).standard_normal((1, _LATENT, frames), np.float32))
        return super().finish()
