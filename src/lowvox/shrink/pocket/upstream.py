"""Reading a Pocket TTS model with the package that it belongs to: configuration, weights, sizes, tokenizer.

Whatever that package raises becomes one sentence here. Knows no graph.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox import extras
from lowvox.errors import DamagedError, DownloadError, LowvoxError, NotFoundError, UsageError
from lowvox.shrink.pocket.mimi import Mimi
from lowvox.shrink.pocket.transformer import Sizes
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lowvox.shrink.pocket.nodes import Weights

UPSTREAM = "4.0.1"
# What only says where things are: the same model elsewhere is the same.
_PLACES = ("weights_path", "weights_path_without_voice_cloning", "tokenizer_path")
# Of huggingface_hub, requests and httpx, by name: none of them is lowvox's own.
_NETWORK = ("Http", "Connect", "Timeout", "LocalEntryNotFound", "GatedRepo", "RepositoryNotFound", "OfflineMode")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A loaded model, on torch: its `config` as read, and all `weights`, float32, by upstream's names.

    `tokenizer` is its file.
    """

    model: Any
    config: Any
    name: str
    weights: Weights
    tokenizer: Path

    def below(self, start: str) -> dict[str, NDArray[np.float32]]:
        """Return the weights whose names begin so, by the rest of their names."""
        return {name.removeprefix(start): value for name, value in self.weights.items() if name.startswith(start)}

    @property
    def cloning(self) -> bool:
        """Whether it can make voices of recordings: files without that have no true encoder."""
        speaker = self.weights["flow_lm.speaker_proj_weight"]
        return bool(self.model.has_voice_cloning and speaker.any() and np.isfinite(speaker).all())

    @property
    def trained(self) -> bool:
        """Whether the configuration names weights; without them they are random, as upstream has it too."""
        return bool(self.config.weights_path or self.config.flow_lm.weights_path)

    @property
    def backbone(self) -> Sizes:
        """The flow LM's transformer."""
        told = self.config.flow_lm.transformer
        wide = told.attn_dim or told.d_model
        heads = told.num_heads
        return Sizes(told.num_layers, heads, told.num_kv_heads or heads, wide // heads, float(told.max_period))

    @property
    def decoder(self) -> Mimi:
        """Mimi's second half."""
        mimi = self.config.mimi
        return _half(mimi, mimi.decoder_seanet or mimi.seanet, mimi.decoder_transformer or mimi.transformer)

    @property
    def encoder(self) -> Mimi:
        """Mimi's first half, whose ratios run the other way."""
        mimi = self.config.mimi
        half = _half(mimi, mimi.seanet, mimi.transformer)
        return Mimi(half.transformer, half.ratios[::-1], half.dilations, half.stride, half.frame)

    def digests(self) -> tuple[str, str]:
        """Return SHA-256 of the configuration, without its paths, and of the weights."""
        return _of_config(self.config), _of_weights(self.weights)


def load(config: str) -> Upstream:
    """Load a configuration that upstream ships, by its name, or a YAML file, and the weights that it names.

    NotFoundError without the package in the version that is known here, or a file; UsageError for an unknown name;
    DamagedError for a configuration or weights that do not fit; DownloadError where the hub does not give them.
    """
    _require()
    with _quiet():
        path = _found(config)
        read = _read(path)
        with _sentences(path):
            model = import_module("pocket_tts").TTSModel.load_model(config=str(path))
            fetch = import_module("pocket_tts.utils.utils").download_if_necessary
            tokenizer = Path(fetch(str(read.flow_lm.lookup_table.tokenizer_path)))
        return Upstream(model, read, path.stem, _weights(model, path), tokenizer)


def _require() -> None:
    for package in ("torch", "onnx", "pocket_tts"):
        if util.find_spec(package) is None:
            raise NotFoundError(f"Converting Pocket TTS needs {package}, once: `{extras.command('shrink')}` brings it.")
    there = metadata.version("pocket-tts")
    if there != UPSTREAM:
        raise NotFoundError(
            f"pocket-tts {there} is installed, and {UPSTREAM} is what is converted here: "
            f"run `pip install pocket-tts=={UPSTREAM}`."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what upstream logs off the terminal: that it has no weights, how large it is."""
    # Set before its first import, or the hub would be told of it.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    with quiet():
        yield


def _found(config: str) -> Path:
    """Return the YAML file that is meant."""
    if Path(config).suffix in (".yaml", ".yml"):
        path = Path(config)
        if not path.is_file():
            raise NotFoundError(f"There is no configuration {path}; give a YAML file of Pocket TTS, or a name.")
        return path
    shipped: Path = import_module("pocket_tts.utils.config").CONFIGS_DIR
    names = sorted(path.stem for path in shipped.glob("*.yaml"))
    if config not in names:
        raise UsageError(f"Pocket TTS {UPSTREAM} has no configuration {config!r}; it has {', '.join(names)}.")
    return shipped / f"{config}.yaml"


def _read(path: Path) -> Any:
    """Read a configuration; DamagedError names the first thing that is wrong with it."""
    import yaml

    invalid = import_module("pydantic").ValidationError
    config = import_module("pocket_tts.utils.config").Config
    try:
        told = yaml.safe_load(path.read_text("utf-8"))
        read = config.model_validate(told)
    except invalid as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise DamagedError(
            f"{path} is no configuration of Pocket TTS {UPSTREAM} ({where}: {first['msg']}); correct it, or take one "
            "of that version."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DamagedError(f"{path} cannot be read as YAML ({_first(error)}); copy it again.") from error
    odd = {half.pad_mode for half in (read.mimi.seanet, read.mimi.decoder_seanet) if half} - {"constant"}
    if odd or read.mimi.channels != 1:
        raise DamagedError(f"{path} asks for a codec that Pocket TTS has never had; correct mimi.seanet in it.")
    return read


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Make one sentence of whatever building and filling a model raises."""
    try:
        yield
    except LowvoxError:
        raise
    except FileNotFoundError as error:
        if any(name in type(error).__name__ for name in _NETWORK):
            raise _unreached(path, error) from error
        raise NotFoundError(f"{path} names a file that is not there ({_first(error)}); correct its paths.") from error
    except Exception as error:  # assertions, RuntimeError and ValueError alike, and those of three more libraries
        if any(name in each.__name__ for each in type(error).__mro__ for name in _NETWORK):
            raise _unreached(path, error) from error
        raise DamagedError(f"The weights or the tokenizer do not fit {path} ({_first(error)}).") from error


def _unreached(path: Path, error: Exception) -> DownloadError:
    return DownloadError(
        f"The hub did not give what {path.name} names ({_first(error)}); check the network and your access, or "
        "download the files and put their paths into a copy of it."
    )


def _first(error: Exception) -> str:
    """Return what says most in an error of several lines, shortened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch's first line only says that there are errors.
    chosen = lines[1] if len(lines) > 1 and lines[0].endswith(":") else (lines or [type(error).__name__])[0]
    return chosen[:200].rstrip(". ")


def _weights(model: Any, path: Path) -> Weights:
    """Return the weights as arrays; DamagedError where the model would not speak with them."""
    weights = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    spoken = (name for name in weights if not name.startswith(("mimi.encoder", "mimi.downsample", "flow_lm.speaker")))
    if broken := [name for name in spoken if not np.isfinite(weights[name]).all()]:
        raise DamagedError(f"The weights of {path} hold numbers that are none ({broken[0]}); copy or train them again.")
    return weights


def _half(mimi: Any, convolutions: Any, told: Any) -> Mimi:
    heads = told.num_heads
    sizes = Sizes(told.num_layers, heads, heads, told.d_model // heads, told.max_period, told.context)
    frame = round(mimi.sample_rate / mimi.frame_rate)
    dilations = tuple(convolutions.dilation_base**at for at in range(convolutions.n_residual_layers))
    return Mimi(sizes, tuple(convolutions.ratios), dilations, frame // int(np.prod(convolutions.ratios)), frame)


def _of_config(config: Any) -> str:
    def bare(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        return {key: bare(value) for key, value in part.items() if key not in _PLACES}

    return hashlib.sha256(json.dumps(bare(config.model_dump(mode="json")), sort_keys=True).encode()).hexdigest()


def _of_weights(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name]).data)
    return digest.hexdigest()
