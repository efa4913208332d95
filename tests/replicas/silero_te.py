"""Stand-ins for Silero's text enhancement model, made with torch: the signature is true, the weights are random.

`package()` writes one file as Silero releases it (a torch.package that holds an object with two TorchScript modules),
`loose()` the two modules as other programs extract them. `FULL` is as large as the released model: six layers of 768,
55,000 word pieces, all of it in 8 bits, 85 MB. What is inside the real modules is not known; the network here is an
encoder like BERT's, because the published sizes fit one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
import torch.ao.quantization as quantization
from torch import Tensor, nn
from torch.package import PackageExporter, package_exporter

from replicas import te_tokens
from replicas.te_model import TeModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Method = TypeVar("Method", bound="Callable[..., Any]")
How = Literal["script", "trace"]


def compiled(method: Method) -> Method:
    """Mark a method to be compiled though nothing in the network calls it."""
    torch.jit.export(method)
    return method


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a network is; `tokens` 0 is as many as the stand-in's words need."""

    width: int = 32
    heads: int = 2
    layers: int = 2
    tokens: int = 0


TINY, FULL = Shape(), Shape(768, 12, 6, 55_000)


class Layer(nn.Module):  # type: ignore[misc]
    """Attention and two products behind it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm, self.last = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, size, width = x.shape
        split = [batch, size, self.heads, width // self.heads]
        query, key, value = (
            self.query(x).view(split).transpose(1, 2),
            self.key(x).view(split).transpose(1, 2),
            self.value(x).view(split).transpose(1, 2),
        )
        weights = torch.softmax(query @ key.transpose(2, 3) / (width // self.heads) ** 0.5 + mask, -1)
        x = self.norm(x + self.out((weights @ value).transpose(1, 2).reshape(batch, size, width)))
        return self.last(x + self.narrow(nn.functional.gelu(self.wide(x))))


class Network(nn.Module):  # type: ignore[misc]
    """`x` [1, T], `att_mask` [1, T] and `lan` [1, 1, 1] to logits of marks [1, T, 7] and of capitals [1, T, 3]."""

    def __init__(self, shape: Shape, tokens: int) -> None:
        super().__init__()
        width = shape.width
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(512, width)
        self.languages = nn.Embedding(4, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.layers)])
        self.marks, self.capitals = nn.Linear(width, 7), nn.Linear(width, 3)

    def forward(self, x: Tensor, att_mask: Tensor, lan: Tensor) -> tuple[Tensor, Tensor]:
        places = self.places(torch.arange(x.shape[1], device=x.device))
        y = self.norm(self.tokens(x) + places + self.languages(lan).squeeze(1))
        mask = (1.0 - att_mask[:, None, None, :].to(y.dtype)) * -10000.0
        for layer in self.layers:
            y = layer(y, mask)
        return self.marks(y), self.capitals(y)


class Tokenizer(nn.Module):  # type: ignore[misc]
    """BERT's way of cutting words into pieces, on escaped text; compiled, it has the methods of Silero's."""

    def __init__(self, vocabulary: list[str], longest: int = 100) -> None:
        super().__init__()
        self.uni_vocab: list[str] = vocabulary
        self.ids: dict[str, int] = {token: at for at, token in enumerate(vocabulary)}
        self.alone: dict[str, int] = {te_tokens.escaped(sign): 1 for sign in te_tokens.STANDING_ALONE}
        self.longest: int = longest
        self.pad_token: str = te_tokens.PAD

    @compiled
    def convert_string_to_ids(self, text: str) -> list[int]:
        found = [self.ids["[CLS]"]]
        word: list[str] = []
        for letter in self.letters(text + " "):
            if letter == " " or letter in self.alone:
                if len(word) > 0:
                    found += self.pieces(word)
                    word.clear()  # compiled, a new list here would be the old one
                if letter != " ":
                    found += self.pieces([letter])
            else:
                word.append(letter)
        found.append(self.ids["[SEP]"])
        return found

    @compiled
    def letters(self, text: str) -> list[str]:
        found: list[str] = []
        held = ""
        for letter in text:
            if letter == "{":
                held = "{"
            elif held != "":
                held += letter
                if letter == "}":
                    found.append(held)
                    held = ""
            else:
                found.append(letter)
        return found

    @compiled
    def pieces(self, word: list[str]) -> list[int]:
        found: list[int] = []
        begin = 0
        if len(word) > self.longest:
            return [self.ids["[UNK]"]]
        while begin < len(word):
            end = len(word)
            known = -1
            while end > begin and known < 0:
                piece = "".join(word[begin:end])
                if begin > 0:
                    piece = "##" + piece
                if piece in self.ids:
                    known = self.ids[piece]
                else:
                    end -= 1
            if known < 0:
                return [self.ids["[UNK]"]]
            found.append(known)
            begin = end
        return found

    @compiled
    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [self.uni_vocab[at] for at in ids]

    @compiled
    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        text = ""
        joins = True
        for token in tokens:
            if token.startswith("##"):
                text += token[2:]
            elif token in [".", ",", "!", "?", "-", "_"]:
                text += token
                joins = token == "-"
                continue
            else:
                text += token if joins else " " + token
            joins = False
        return text


def network(shape: Shape = TINY, *, quantized: bool = True, how: How = "script") -> Any:
    """Return a TorchScript network; quantised, its products and its table of tokens are in 8 bits."""
    torch.manual_seed(0)
    plain = Network(shape, len(te_tokens.vocabulary(shape.tokens))).eval()
    with torch.no_grad():
        _teach(plain)
    if quantized:
        plain.tokens.qconfig = quantization.float_qparams_weight_only_qconfig
        quantization.prepare(plain, inplace=True)
        quantization.convert(plain, inplace=True)
        plain = quantization.quantize_dynamic(plain, {nn.Linear}, dtype=torch.qint8)
    if how == "script":
        return torch.jit.script(plain)
    x = torch.arange(20)[None]
    return torch.jit.trace(plain, (x, torch.ones_like(x), torch.tensor([[[1]]])))


def _teach(network: Network) -> None:
    """Make each token's class of mark and of case a part of it, and let the heads read them.

    A trained network is sure of most of its classes; one with random heads is in doubt everywhere, and the last digit
    of a float would decide.
    """
    tokens, width = network.tokens.weight.shape
    classes = torch.arange(tokens) * 7919 % 21  # of marks, seven, and of cases, three, together
    signs = torch.randn(21, width)
    network.tokens.weight.copy_(2 * signs[classes] + 0.3 * torch.randn(tokens, width))
    x = torch.randint(5, tokens, (1, 512))
    hidden: list[Tensor] = []
    hook = network.marks.register_forward_pre_hook(lambda _, given: hidden.append(given[0][0]))
    network(x, torch.ones_like(x), torch.tensor([[[0]]]))
    hook.remove()
    known = torch.cat([hidden[0], torch.ones(512, 1)], 1)
    for head, wanted in ((network.marks, classes[x[0]] % 7), (network.capitals, classes[x[0]] // 7)):
        target = 10.0 * nn.functional.one_hot(wanted, head.out_features) - 5.0
        solved = torch.linalg.solve(known.T @ known + torch.eye(width + 1), known.T @ target)
        head.weight.copy_(solved[:-1].T)
        head.bias.copy_(solved[-1])


def tokenizer(shape: Shape = TINY, longest: int = 100) -> Any:
    """Return a TorchScript tokenizer."""
    return torch.jit.script(Tokenizer(te_tokens.vocabulary(shape.tokens), longest))


def loose(folder: Path, shape: Shape = TINY, *, quantized: bool = True, how: How = "script") -> tuple[Path, Path]:
    """Write the two modules into files of their own and return their paths."""
    model, words = folder / "te_model_jit.pt", folder / "te_tokenizer_jit.pt"
    network(shape, quantized=quantized, how=how).save(str(model))
    tokenizer(shape).save(str(words))
    return model, words


def package(path: Path, shape: Shape = TINY, *, quantized: bool = True, how: How = "script") -> Path:
    """Write one file as Silero does."""
    package_exporter._gate_torchscript_serialization = False  # torch calls it a beta feature; Silero uses it
    enhancer = TeModel(network(shape, quantized=quantized, how=how), tokenizer(shape))
    with PackageExporter(str(path)) as exporter:
        exporter.extern(["torch.**"])
        exporter.intern("replicas.te_model")
        exporter.save_pickle("te_model", "model", enhancer)
    return path
