"""The vosk engine: layouts and damage, Vosk's JSON, and real recognition by Vosk itself with a stand-in model."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from array import array
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines import create
from lowvox.engines.vosk.engine import Vosk, VoskStream, partial_text, words
from lowvox.engines.vosk.layout import Layout, layout
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.types import Model, Profile, Word
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path

PARTS = {
    "ivector": ("final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf"),
    "rescore": ("G.carpa", "G.fst"),
    "rnnlm": ("final.raw", "feat_embedding.final.mat", "special_symbol_opts.conf", "word_feats.txt"),
}


def model(path: Path) -> Model:
    return Model("replica", "vosk", "recognizer", ("en",), path)


def noise(seconds: float, amplitude: int) -> bytes:
    """White noise as PCM at 16 kHz; the stand-in model calls it "beep" when it is loud."""
    dice = random.Random(amplitude)
    return array("h", (dice.randint(-amplitude, amplitude) for _ in range(int(16_000 * seconds)))).tobytes()


QUIET, LOUD = 5, 14_000


# Layouts.


@pytest.mark.parametrize("version", [1, 2])
def test_static_layouts(tmp_path: Path, version: int) -> None:
    found = layout(build(tmp_path, version))
    assert (found.version, found.graph, found.parts) == (version, "static", ())


@pytest.mark.parametrize(("version", "graph"), [(1, ""), (2, "graph/")])
def test_lookahead_layouts(tmp_path: Path, version: int, graph: str) -> None:
    build(tmp_path, version)
    (tmp_path / graph / "HCLG.fst").unlink()
    for name in ("HCLr.fst", "Gr.fst", "disambig_tid.int"):
        (tmp_path / graph / name).write_bytes(b"x")
    assert layout(tmp_path).graph == "lookahead"
    (tmp_path / graph / "Gr.fst").unlink()
    with pytest.raises(DamagedError, match=rf"incomplete: {graph}Gr\.fst missing"):
        layout(tmp_path)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("part", PARTS)
def test_optional_parts_are_whole_or_absent(tmp_path: Path, version: int, part: str) -> None:
    build(tmp_path, version)
    (tmp_path / part).mkdir()
    for name in PARTS[part]:
        (tmp_path / part / name).write_bytes(b"" if name.endswith(".conf") else b"x")
    assert layout(tmp_path) == Layout(version, "static", (part,))  # type: ignore[arg-type]
    lost = PARTS[part][0]
    (tmp_path / part / lost).unlink()
    with pytest.raises(DamagedError, match=f"{part}/{lost} missing"):
        layout(tmp_path)


def test_filter_bank_features(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "conf" / "mfcc.conf").rename(tmp_path / "conf" / "fbank.conf")
    layout(tmp_path)


@pytest.mark.parametrize(
    ("version", "lost"),
    [(2, "am/final.mdl"), (2, "conf/model.conf"), (2, "graph/HCLG.fst"), (1, "final.mdl"), (1, "mfcc.conf")],
)
def test_damage_is_named(tmp_path: Path, version: int, lost: str) -> None:
    file = build(tmp_path, version) / lost
    file.unlink()
    with pytest.raises(DamagedError, match=rf"{lost} missing or empty; copy or pull it again\.$"):
        layout(tmp_path)
    file.write_bytes(b"")
    if file.suffix == ".conf":
        layout(tmp_path)
        return
    with pytest.raises(DamagedError, match=f"{lost} missing or empty"):
        layout(tmp_path)


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no Vosk model"):
        layout(tmp_path)
    with pytest.raises(NotFoundError):
        layout(tmp_path / "nothere")


def test_layout_does_not_import_vosk() -> None:
    code = "import sys; import lowvox.engines.vosk.engine; sys.exit('vosk' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Real recognition.


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> VoskStream:
    resident = create("vosk").load(model(build(tmp_path_factory.mktemp("model"))), Profile())
    return cast("VoskStream", resident.open())


@pytest.mark.parametrize("version", [1, 2])
def test_hears_words_and_their_times(tmp_path: Path, version: int) -> None:
    resident = Vosk().load(model(build(tmp_path, version)), Profile())
    stream = resident.open()
    for sound in (noise(0.5, QUIET), noise(0.4, LOUD), noise(0.3, QUIET), noise(0.6, LOUD), noise(0.3, QUIET)):
        stream.accept(sound)
    found = stream.finish()
    assert [word.word for word in found] == ["beep", "beep"]
    assert [(word.start, word.end) for word in found] == [
        pytest.approx((0.5, 0.9), abs=0.1),
        pytest.approx((1.2, 1.8), abs=0.1),
    ]
    assert all(word.confidence is not None and 0.5 < word.confidence <= 1 for word in found)
    stream.close()
    stream.close()
    resident.close()
    resident.close()


def test_partials_grow_over_pauses(stream: VoskStream) -> None:
    """A long pause makes Vosk close a part; its words stay in the partials and in the result."""
    seen = []
    for amplitude, seconds in ((LOUD, 0.4), (QUIET, 2.5), (LOUD, 0.4), (QUIET, 0.3)):
        stream.accept(noise(seconds, amplitude))
        seen.append(stream.partial())
    assert seen == ["beep", "beep", "beep beep", "beep beep"]
    first, second = stream.finish()
    assert first.end < 0.6
    assert second.start == pytest.approx(2.9, abs=0.1)


def test_each_utterance_starts_at_zero(stream: VoskStream) -> None:
    for _ in range(3):
        stream.accept(noise(0.3, QUIET))
        stream.accept(noise(0.4, LOUD))
        stream.accept(noise(0.3, QUIET))
        (word,) = stream.finish()
        assert word.start == pytest.approx(0.3, abs=0.1)


def test_nothing_heard(stream: VoskStream) -> None:
    assert stream.partial() == ""
    assert stream.finish() == ()
    stream.accept(b"")
    assert stream.partial() == ""
    assert stream.finish() == ()
    stream.accept(noise(1, QUIET))
    assert stream.finish() == ()


def test_reset_forgets(stream: VoskStream) -> None:
    stream.accept(noise(0.5, LOUD))
    stream.reset()
    assert stream.partial() == ""
    assert stream.finish() == ()


# Damage that only Vosk can see, in a process of its own, for Vosk may end it.

LOAD = """
import sys
from pathlib import Path
from lowvox.engines import create
from lowvox.errors import DamagedError
from lowvox.types import Model, Profile
try:
    create("vosk").load(Model("x", "vosk", "recognizer", ("en",), Path(sys.argv[1])), Profile()).open()
except DamagedError as error:
    print(error)
"""


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("broken", ["final.mdl", "HCLG.fst", "words.txt", "mfcc.conf"])
@pytest.mark.parametrize("how", ["half", "noise"])
def test_files_that_vosk_cannot_read(tmp_path: Path, version: int, broken: str, how: str) -> None:
    build(tmp_path, version)
    (file,) = tmp_path.rglob(broken)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if how == "half" else random.Random(1).randbytes(2000))
    done = subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, check=False)
    assert b"Vosk cannot read the model" in done.stdout


def test_a_model_that_loads_and_cannot_decode(tmp_path: Path) -> None:
    resident = create("vosk").load(model(build(tmp_path, coefficients=14)), Profile())
    with pytest.raises(DamagedError, match="cannot read the model"):
        resident.open()


def test_a_half_copied_folder_is_refused_before_vosk_sees_it(tmp_path: Path) -> None:
    (build(tmp_path) / "graph" / "HCLG.fst").unlink()
    with pytest.raises(DamagedError, match=r"graph/HCLG\.fst missing"):
        create("vosk").load(model(tmp_path), Profile())
    with pytest.raises(NotFoundError, match="lowvox pull"):
        create("vosk").load(Model("x", "vosk", "recognizer", ("en",)), Profile())


# Vosk's JSON, in the shapes that its documentation gives.

finite = st.floats(0, 1e6)
entry = st.fixed_dictionaries(
    {}, optional={"conf": finite, "start": finite, "end": finite, "word": st.text(min_size=1)}
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["text", "result", "partial", "word", "conf", "start", "end"]), inner)
    ),
)


@given(st.lists(entry), st.text())
def test_results(entries: list[dict[str, Any]], text: str) -> None:
    found = words(json.dumps({"result": entries, "text": text}))
    for word, said in zip(found, [said for said in entries if "word" in said], strict=True):
        assert word.word == said["word"]
        assert (word.start, word.end) == (said.get("start", 0), said.get("end", 0))
        assert word.confidence == (min(1, said["conf"]) if "conf" in said else None)


def test_documented_shapes() -> None:
    result = '{"result": [{"conf": 0.91, "end": 1.11, "start": 0.84, "word": "one"}], "text": "one"}'
    assert words(result) == [Word(0.84, 1.11, "one", 0.91)]
    assert words('{"text": ""}') == []
    assert words('{"text": "one two"}') == [Word(0, 0, "one"), Word(0, 0, "two")]
    assert words('{"result": [], "text": ""}') == []
    assert words('{"alternatives": [{"text": "one", "confidence": 230.5}]}') == []
    assert words('{"text": "", "spk": [0.1], "spk_frames": 60}') == []
    assert words('{"result": [{"word": "one", "start": 1' + "0" * 400 + "}]}") == [Word(0, 0, "one")]
    assert partial_text('{"partial": "one t"}') == "one t"
    assert partial_text('{"partial": "one", "partial_result": [{"word": "one"}]}') == "one"
    assert partial_text('{"text": ""}') == ""


@given(anything)
def test_whatever_the_values_are(value: Any) -> None:
    answer = json.dumps(value)
    if not isinstance(value, dict):
        with pytest.raises(EngineError):
            words(answer)
        return
    for word in words(answer):
        assert math.isfinite(word.start)
        assert math.isfinite(word.end)
        assert word.confidence is None or 0 <= word.confidence <= 1
    assert isinstance(partial_text(answer), str)


@pytest.mark.parametrize("answer", ["", "{", "[]", "null", '{"result": [{"conf": nan}]}', "[" * 100_000])
def test_no_json(answer: str) -> None:
    for read in (words, partial_text):
        with pytest.raises(EngineError, match="pip install --upgrade vosk"):
            read(answer)
