"""`engines.lowvox_te.engine`: the shipped networks, loaded and run as they are."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lowvox import models
from lowvox.engines import create
from lowvox.engines.lowvox_te.engine import SHIPPED, WINDOW, _inverted
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.text.restoration import punctuate
from lowvox.types import Model, Profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lowvox.engines.lowvox_te.engine import LowvoxTeResident, LowvoxTeStream

SENTENCES = {
    "en": ("hello how are you i am fine thank you", "Hello, how are you? I am fine, thank you."),
    "de": ("ich weiß nicht ob er kommt", "Ich weiß nicht, ob er kommt."),
    "es": ("dónde está la casa no lo sé", "¿Dónde está la casa? No lo sé."),
    "ru": ("я не знаю что он сказал", "Я не знаю, что он сказал."),
}


@pytest.fixture(scope="module")
def resident() -> Iterator[LowvoxTeResident]:
    with closing(load("lowvox-te")) as found:
        yield found


def load(name: str, path: Path | None = None) -> LowvoxTeResident:
    return create("lowvox-te").load(Model(name, "lowvox-te", "punctuator", ("en",), path), Profile())  # type: ignore[return-value]


def stream(resident: LowvoxTeResident, language: str = "en") -> LowvoxTeStream:
    return resident.open(language=language)


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences(resident: LowvoxTeResident, language: str) -> None:
    heard, written = SENTENCES[language]
    assert punctuate(heard, stream(resident, language), language) == written


def test_every_language_of_the_catalogue_has_a_network_that_ships() -> None:
    for language in ("en", "de", "es", "ru", "vi"):
        model = models.find("punctuator", language)
        assert (SHIPPED / f"{model.name}.onnx").exists()
    assert sum(path.stat().st_size for path in SHIPPED.glob("*.onnx")) <= 8 * 2**20


def test_texts_together_are_labelled_as_they_are_alone(resident: LowvoxTeResident) -> None:
    texts = [heard.split() for heard, _ in SENTENCES.values()]
    alone = list(chain.from_iterable(stream(resident).label([text]) for text in texts))
    together = stream(resident).label(texts)
    assert [[(label.mark, label.case) for label in text] for text in together] == [
        [(label.mark, label.case) for label in text] for text in alone
    ]
    for one, other in zip(chain(*together), chain(*alone), strict=True):
        assert one.sure == pytest.approx(other.sure, abs=0.1)  # 8-bit products are scaled by all that runs together


def test_a_full_window_and_none(resident: LowvoxTeResident) -> None:
    assert len(stream(resident).label([["word"] * WINDOW])[0]) == WINDOW
    assert stream(resident).label([[], ["word"]])[0] == []
    assert stream(resident).label([[]], begins=False, ends=False) == [[]]


def test_a_long_pause_ends_a_sentence_sooner(resident: LowvoxTeResident) -> None:
    words = ["i", "went", "home", "he", "stayed"]
    pauses = [0.0, 0.0, 1.0, 0.0, 1.0]
    assert stream(resident).label([words], [pauses], ends=False)[0][2].mark == "."


def test_another_language_is_told_by_its_words(resident: LowvoxTeResident) -> None:
    heard, written = SENTENCES["de"]
    assert punctuate(heard, stream(resident, ""), "") == written


def test_inverted_marks_stand_where_their_question_begins() -> None:
    opens = np.array([-5, -5, 3, -5, -5, -5], np.float32)
    assert _inverted(["", ",", "", "?", "", "!"], opens) == {2: "¿", 4: "¡"}
    assert _inverted(["", ".", ""], opens[:3]) == {}


def test_what_is_closed_says_so(resident: LowvoxTeResident) -> None:
    closed = stream(resident)
    closed.reset()
    closed.close()
    with pytest.raises(EngineError, match="closed; open another"):
        closed.label([["word"]])


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "te.onnx").write_bytes(b"nothing")
    with pytest.raises(DamagedError, match="cannot be loaded"):
        load("lowvox-te", tmp_path / "te.onnx")
    with pytest.raises(NotFoundError, match="There is no model file"):
        load("lowvox-te", tmp_path / "none.onnx")
