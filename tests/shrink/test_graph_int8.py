"""`shrink.rounding.graph_int8` and `shrink.rounding.recipe`: a file by a plan, and the same file again, bit for bit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.shrink import graph
from lowvox.shrink.rounding import graph_int8, recipe, samples
from lowvox.shrink.rounding.recipe import Plan
from lowvox.shrink.rounding.samples import Samples
from replicas import graphs


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "decoder.onnx"
    path.write_bytes(graphs.decoder(16, 1))
    return path


@pytest.fixture(scope="module")
def given(source: Path) -> tuple[Samples, Samples]:
    random = np.random.default_rng(0)
    for at in range(6):
        np.savez(source.with_name(f"{at}.npz"), z=random.standard_normal((1, graphs.LATENT, 9 + at), np.float32))
    return samples.parted(samples.read(source.parent, graph.read(source)))


PLANS = [
    Plan(),
    Plan(per_channel=False, calibrate="entropy"),
    Plan(calibrate="percentile", percentile=99.5, exclude=("ConvTranspose",)),
    Plan(method="fp16"),
]


@pytest.mark.parametrize("plan", PLANS)
def test_a_recipe_makes_the_same_file_bit_for_bit(
    source: Path, given: tuple[Samples, Samples], plan: Plan, tmp_path: Path
) -> None:
    made = graph_int8.make(source, plan, *given)
    recipe.write(tmp_path / "r.json", made.recipe)
    read = recipe.read(tmp_path / "r.json")
    assert read == made.recipe
    again = graph_int8.remake(source, read)
    assert again.data == made.data
    assert (again.nodes, again.coverage) == (made.nodes, made.coverage)
    assert graph_int8.make(source, plan, *given).data == made.data
    assert made.recipe.noise_db is not None
    assert made.recipe.noise_db > 20
    assert set(made.recipe.versions) == {"lowvox", "onnx", "onnxruntime", "numpy"}


def test_what_is_excluded_stays_as_it_is(source: Path, given: tuple[Samples, Samples]) -> None:
    names = graph.roundable(graph.read(source))
    whole = graph_int8.make(source, Plan(), *given)
    some = graph_int8.make(source, Plan(exclude=("ConvTranspose", names[0])), *given)
    assert whole.recipe.left == ()
    assert some.nodes == whole.nodes - 2
    assert some.recipe.left[0] == names[0]
    assert some.coverage < whole.coverage == 100
    assert graph_int8.remake(source, some.recipe).data == some.data
    with pytest.raises(UsageError, match="no node or operator 'Cov'"):
        graph_int8.make(source, Plan(exclude=("Cov",)), *given)
    with pytest.raises(UsageError, match="no convolution or product"):
        graph_int8.make(source, Plan(exclude=("Conv", "ConvTranspose")), *given)
    with pytest.raises(UsageError, match="no product with weights"):
        graph_int8.make(source, Plan(method="dynamic"), *given)


def test_what_the_search_left_alone_is_in_the_recipe(source: Path, given: tuple[Samples, Samples]) -> None:
    _, judging = given
    plain = graph_int8.make(source, Plan(), *given)
    assert plain.recipe.noise_db is not None
    made = graph_int8.make(source, Plan(floor=plain.recipe.noise_db + 1), *given)
    assert made.recipe.noise_db is not None
    assert made.recipe.noise_db >= plain.recipe.noise_db + 1
    assert list(made.recipe.left) == [name for name, _ in made.ranking[: len(made.recipe.left)]]
    assert 0 < len(made.recipe.left) < plain.nodes
    assert graph_int8.remake(source, made.recipe).data == made.data
    with pytest.raises(UsageError, match="--evaluate"):
        graph_int8.make(source, Plan(floor=30), judging, None)


def test_a_recipe_for_another_graph(source: Path, given: tuple[Samples, Samples], tmp_path: Path) -> None:
    made = graph_int8.make(source, Plan(), *given)
    other = tmp_path / "other.onnx"
    other.write_bytes(graphs.decoder(8, 1))
    with pytest.raises(UsageError, match="for another graph"):
        graph_int8.remake(other, made.recipe)


def test_a_recipe_that_was_changed_or_is_of_other_versions(source: Path, given: tuple[Samples, Samples]) -> None:
    found = graph_int8.make(source, Plan(), *given).recipe
    some = dict(list(found.ranges.items())[1:])
    with pytest.raises(UsageError, match="has no range of 'z'"):
        graph_int8.remake(source, msgspec.structs.replace(found, ranges=some))
    wide = dict.fromkeys(found.ranges, (-1.0, 1.0))
    with pytest.raises(DamagedError, match="the recipe was changed"):
        graph_int8.remake(source, msgspec.structs.replace(found, ranges=wide))
    old = msgspec.structs.replace(found, ranges=wide, versions={"onnx": "1.0"})
    with pytest.raises(DamagedError, match=r"it was made with onnx 1\.0"):
        graph_int8.remake(source, old)


def test_what_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        recipe.read(tmp_path / "r.json")
    for data in (b"", b"{}", b"[1]", b"\xff\xfe", b'{"form": 2}'):
        (tmp_path / "r.json").write_bytes(data)
        with pytest.raises(DamagedError, match="is not a recipe"):
            recipe.read(tmp_path / "r.json")


def test_samples_are_needed(source: Path) -> None:
    with pytest.raises(UsageError, match="--samples"):
        graph_int8.make(source, Plan(), None, None)
    made = graph_int8.make(source, Plan(method="fp16"), None, None)
    assert made.recipe.noise_db is None
    assert onnx.load_from_string(made.data).graph.node
