"""Converting: however the original was made and packed, the result gives the same; what is something else is named.

The originals are stand-ins with the true signature; they need PyTorch to be made.
"""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lowvox.engines.silero_te.engine import SileroTe
from lowvox.engines.silero_te.layout import FACTS, MODEL, TOKENS, WEIGHTS, layout
from lowvox.errors import DamagedError, EngineError, LowvoxError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.silero_te import convert as shrinking
from lowvox.shrink.silero_te import lowering
from lowvox.text.marks import write
from lowvox.types import Model, Profile

pytest.importorskip("torch", reason="needs PyTorch, which is in the extra 'shrink' alone")

with warnings.catch_warnings():  # of PyTorch, about its own future
    warnings.simplefilter("ignore")
    import torch

    from replicas import silero_te as replica
    from replicas import te_tokens
    from replicas.te_model import TeModel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Made:
    network: Any
    tokenizer: Any
    file: Path


def loose(module: Any, path: Path) -> Path:
    module.save(str(path))
    return path


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return replica.package(tmp_path_factory.mktemp("te") / "v2_4lang_q.pt")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return loose(replica.tokenizer(), tmp_path_factory.mktemp("te") / "te_tokenizer_jit.pt")


@pytest.fixture(scope="module")
def converted(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> shrinking.Converted:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return shrinking.export(packed, tmp_path_factory.mktemp("te") / "out" / "silero-te")


def original() -> TeModel:
    return TeModel(replica.network(), replica.tokenizer())


def same(found: shrinking.Converted) -> None:
    assert found.exact.inputs == 4 * (1 + 2 * 7)
    assert found.exact.classes > 10_000
    assert found.exact.differing == 0
    assert found.exact.max_difference < 1e-4
    if found.as_run:
        assert found.as_run.differing <= found.as_run.classes // 1000
        assert found.as_run.closest < 1e-5


# What comes out.


def test_the_released_package(converted: shrinking.Converted) -> None:
    same(converted)
    assert converted.as_run
    assert (converted.layers, converted.pieces) == (15, len(te_tokens.vocabulary()))
    assert {path.name for path in converted.folder.iterdir()} == {MODEL, WEIGHTS, TOKENS, FACTS}
    assert list(converted.folder.parent.iterdir()) == [converted.folder]
    facts = layout(converted.folder)
    assert facts.languages == {"en": 0, "de": 1, "es": 2, "ru": 3}
    assert "not for commercial use" in facts.licence
    assert facts.source.startswith("v2_4lang_q.pt, converted by lowvox")


def test_the_weights_stay_in_8_bits(converted: shrinking.Converted, packed: Path) -> None:
    assert (converted.folder / WEIGHTS).stat().st_size < 1.2 * packed.stat().st_size
    full = sum(parameter.numel() for parameter in replica.Network(replica.TINY, 329).parameters())
    assert (converted.folder / WEIGHTS).stat().st_size < 3 * full


@pytest.mark.parametrize("language", ["en", "de", "es", "ru"])
def test_the_engine_labels_pieces_as_the_original_does(converted: shrinking.Converted, language: str) -> None:
    judge = original()
    model = Model("te", "silero-te", "punctuator", (), converted.folder)
    stream = SileroTe().load(model, Profile()).open(language=language)
    dice = np.random.default_rng(1)
    differing = total = 0
    for count in (1, 2, 5, 12, 13, 60, 150):
        text = [te_tokens.WORDS[at] for at in dice.integers(0, len(te_tokens.WORDS), count)]
        (labels,) = stream.label([text])
        expected = judge.labels(" ".join(text), language)
        assert len(expected) == count  # each of these words is one piece
        marks = ("", ".", ",", "", "!", "?", "—")
        differing += sum(label.mark != marks[mark] for label, (_, mark, _) in zip(labels, expected, strict=True))
        total += count
    assert differing <= total // 100


def test_the_engine_writes_what_the_original_writes(converted: shrinking.Converted) -> None:
    judge = original()
    model = Model("te", "silero-te", "punctuator", (), converted.folder)
    stream = SileroTe().load(model, Profile()).open(language="ru")
    dice = np.random.default_rng(2)
    same = total = 0
    for _ in range(60):
        text = [te_tokens.WORDS[at] for at in dice.integers(0, len(te_tokens.WORDS), 8)]
        wanted = judge.enhance_text(" ".join(text), "ru")
        if "-" in wanted:
            continue  # a hyphen joins two words, which lowvox never does
        (labels,) = stream.label([text])
        same += " ".join(write(word, label, "ru") for word, label in zip(text, labels, strict=True)) == wanted
        total += 1
    assert total > 5
    assert same >= total - 1


@pytest.mark.parametrize("how", ["script", "trace"])
@pytest.mark.parametrize("quantized", [True, False])
def test_loose_files(tmp_path: Path, how: replica.How, quantized: bool) -> None:
    model, words = replica.loose(tmp_path, quantized=quantized, how=how)
    found = shrinking.export(model, tmp_path / "out", words)
    same(found)
    assert (found.layers, found.as_run is not None) == ((15, True) if quantized else (0, False))
    swapped = shrinking.export(words, tmp_path / "other", model)
    assert (swapped.folder / WEIGHTS).read_bytes() == (found.folder / WEIGHTS).read_bytes()


def test_a_folder_that_is_empty_is_used_and_one_that_is_not_is_left_alone(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(UsageError, match="is there already; choose another folder with -o"):
            shrinking.export(packed, folder)
    (tmp_path / "empty").mkdir()
    assert shrinking.export(packed, tmp_path / "empty").folder == tmp_path / "empty"


# Files are read without running what is in them.


def test_python_code_in_a_package_is_not_run(packed: Path, tmp_path: Path) -> None:
    proof, hostile = tmp_path / "proof", tmp_path / "hostile.pt"
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            code = f"open({str(proof)!r}, 'w')\n".encode()
            target.writestr(name, code if name.endswith("te_model.py") else source.read(name))
    shrinking.export(hostile, tmp_path / "out")
    assert not proof.exists()
    with pytest.raises(AttributeError):  # the way that PyTorch itself opens it
        torch.package.PackageImporter(str(hostile)).load_pickle("te_model", "model")
    assert proof.exists()


# Layers in 8 bits, one by one.


class One(torch.nn.Module):  # type: ignore[misc]
    """One 8-bit product, called as the compiled ones are."""

    def __init__(self, weight: Any, bias: Any, relu: bool, reduced: bool) -> None:
        super().__init__()
        self.packed = torch.ops.quantized.linear_prepack(weight, bias)
        self.relu, self.reduced = relu, reduced

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.relu:
            return torch.ops.quantized.linear_relu_dynamic(x, self.packed, self.reduced)
        return torch.ops.quantized.linear_dynamic(x, self.packed, self.reduced)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("channels", [False, True])
def test_a_product_in_8_bits(relu: bool, reduced: bool, channels: bool) -> None:
    torch.manual_seed(3)
    plain = torch.randn(24, 16)
    if channels:
        weight = torch.quantize_per_channel(plain, torch.rand(24) / 30 + 0.01, torch.zeros(24).long(), 0, torch.qint8)
    else:
        weight = torch.quantize_per_tensor(plain, 0.03, 0, torch.qint8)
    module = torch.jit.script(One(weight, torch.randn(24), relu, reduced).eval())
    graph = lowering.frozen(module)
    assert lowering.unpacked(graph) == 1
    inputs = [
        5 * torch.randn(3, 16),
        torch.rand(1, 16),
        -torch.rand(2, 16),
        torch.zeros(1, 16),
        1e-3 * torch.randn(2, 16),
    ]
    model = lowering.exported(graph, inputs[:1], ["x"], ["y"], {"x": {0: "N"}, "y": {0: "N"}})
    session = Session(model)
    for x in inputs:
        (found,) = session.run({"x": x.numpy()})
        if reduced:
            assert found == pytest.approx(module(x).numpy(), abs=1e-5)
        else:  # without room in the sums PyTorch's own product may be cut
            assert found == pytest.approx(module(x).numpy(), abs=0.5)


def test_an_operator_that_cannot_be_exported_is_named(tokenizer: Path, tmp_path: Path) -> None:
    class Odd(replica.Network):
        def forward(
            self, x: torch.Tensor, att_mask: torch.Tensor, lan: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            y = self.tokens(x) + self.places(torch.arange(x.shape[1])) + self.languages(lan).squeeze(1)
            y = y * torch.special.bessel_j0(att_mask.float())[:, :, None]
            return self.marks(y), self.capitals(y)

    odd = loose(torch.jit.script(Odd(replica.TINY, 329).eval()), tmp_path / "odd.pt")
    with pytest.raises(DamagedError, match=r"cannot be exported: .*special_bessel_j0.*\.$"):
        shrinking.export(odd, tmp_path / "out", tokenizer)
    assert {path.name for path in tmp_path.iterdir()} == {"odd.pt"}


def test_a_network_made_on_a_graphics_card(tokenizer: Path, tmp_path: Path) -> None:
    class Card(replica.Network):
        def forward(
            self, x: torch.Tensor, att_mask: torch.Tensor, lan: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            places = torch.arange(x.shape[1], device=torch.device("cuda:0"))
            y = self.tokens(x) + self.places(places) + self.languages(lan).squeeze(1) * att_mask[:, :, None]
            return self.marks(y), self.capitals(y)

    card = loose(torch.jit.script(Card(replica.TINY, 329).eval()), tmp_path / "card.pt")
    with pytest.raises((RuntimeError, AssertionError), match=r"(?i)cuda"):
        torch.jit.load(str(card))(*(torch.ones(shape, dtype=torch.long) for shape in ((1, 5), (1, 5), (1, 1, 1))))
    same(shrinking.export(card, tmp_path / "out", tokenizer))


# What is not such a model.


def refused(file: Path, tokenizer: Path | None, kind: type[LowvoxError], says: str) -> None:
    before = set(file.parent.rglob("*"))
    with pytest.raises(kind, match=says):
        shrinking.export(file, file.parent / "out", tokenizer)
    assert set(file.parent.rglob("*")) == before


def test_the_tokenizer_is_missing(tmp_path: Path) -> None:
    file = loose(replica.network(), tmp_path / "te_model_jit.pt")
    refused(
        file, None, UsageError, r"holds the network alone; name its tokenizer too: --tokenizer te_tokenizer_jit\.pt"
    )


def test_the_tokenizer_alone(tokenizer: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.pt"
    file.write_bytes(tokenizer.read_bytes())
    refused(file, None, DamagedError, "TorchScript, but not Silero's text enhancement")


class Other(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Narrow(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor, att_mask: torch.Tensor, lan: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.stack([x, att_mask, x + lan.sum()], -1).float()
        return y, y


@pytest.mark.parametrize(
    ("kind", "says"), [(Other, "does not run on the processor as Silero's does"), (Narrow, r"it gives \[\(1, 18, 3\)")]
)
def test_another_network(kind: type[Any], says: str, tokenizer: Path, tmp_path: Path) -> None:
    refused(loose(torch.jit.script(kind()), tmp_path / "other.pt"), tokenizer, DamagedError, says)


def test_weights_alone(tokenizer: Path, tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / "weights.pt")
    refused(tmp_path / "weights.pt", tokenizer, DamagedError, "holds no TorchScript: it may be weights alone")


def test_a_file_that_is_damaged_inside(packed: Path, tmp_path: Path) -> None:
    content = packed.read_bytes()
    at = content.index(b"constants.pkl") + 100
    (tmp_path / "v2.pt").write_bytes(content[:at] + bytes(200) + content[at + 200 :])
    refused(tmp_path / "v2.pt", None, DamagedError, r"PyTorch .* cannot read .*v2\.pt")


def test_a_tokenizer_with_other_rules(packed: Path, tmp_path: Path) -> None:
    class Small(replica.Tokenizer):
        @replica.compiled
        def convert_string_to_ids(self, text: str) -> list[int]:
            return [2] + [self.ids.get(letter, 1) for letter in self.letters(text)] + [3]

    words = loose(torch.jit.script(Small(te_tokens.vocabulary())), tmp_path / "words.pt")
    network = loose(replica.network(), tmp_path / "model.pt")
    refused(network, words, DamagedError, "works by rules that lowvox does not know: it makes")


def test_a_result_that_differs_is_not_written(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "v2.pt").write_bytes(packed.read_bytes())
    table: Any = lowering._table
    monkeypatch.setattr(lowering, "_table", lambda g, x, whole, scale, least: table(g, x, whole, least, scale))
    refused(tmp_path / "v2.pt", None, EngineError, r"does not give what its original gives \(logits by up to")
    monkeypatch.undo()
    product: Any = lowering._rounded
    monkeypatch.setattr(
        lowering, "_rounded", lambda g, x, whole, scale, zero, *_: product(g, x, whole, scale, zero, scale, scale)
    )
    refused(tmp_path / "v2.pt", None, EngineError, r"does not give what its original gives \(\d+ of \d+ classes")
