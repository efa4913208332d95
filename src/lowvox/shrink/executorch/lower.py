"""A module of torch to a program of ExecuTorch's: exported, its layers rounded if asked, handed to XNNPACK.

What XNNPACK does not know stays with ExecuTorch's own kernels. In 8 bits convolutions and linear layers are rounded,
signed and per channel, and nothing else: rounding sums as well makes a decoder a seventh quicker and costs 2 dB. Knows
no file and no voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lowvox.errors import DamagedError, LowvoxError
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.shrink.executorch.torch_graph import TorchGraph

    Values = Mapping[str, NDArray[Any]]

_CONVOLUTIONS = ("conv1d", "conv2d", "conv_transpose1d")
_LAYERS = (*_CONVOLUTIONS, "linear")


def lowered(
    module: TorchGraph,
    largest: Values,
    open_axes: Mapping[str, int],
    samples: Iterable[Values] | None = None,
    left: Collection[str] = (),
) -> bytes:
    """Return the program for inputs up to the size of `largest`, which may be shorter along `open_axes`.

    With `samples` in 8 bits: the ranges of what convolutions are given are measured on them; where there are only
    linear layers, each run measures its own. The nodes in `left` stay in floats. DamagedError where torch or XNNPACK
    cannot take the graph.
    """
    given = tuple(torch.from_numpy(largest[name]) for name in module.takes)
    shapes = _open(module.takes, open_axes, given)
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(module.eval(), given, dynamic_shapes=shapes and {"given": shapes})
            if samples is not None:
                rounded = _rounded(program, module.takes, samples, module.weights_of(left))
                program = torch.export.export(rounded, given, dynamic_shapes=shapes)
            return _delegated(program)
    except LowvoxError:
        raise
    except Exception as error:  # torch and ExecuTorch have many classes for this
        raise DamagedError(f"The graph cannot be lowered ({_first(error)}); lower a part of it.") from error


def _open(takes: Sequence[str], open_axes: Mapping[str, int], given: Sequence[Any]) -> Any:
    """Say to torch which axes may be shorter: all of them together, from 1 on."""
    if not open_axes:
        return None
    most = {tensor.shape[open_axes[name]] for name, tensor in zip(takes, given, strict=True) if name in open_axes}
    length = torch.export.Dim("frames", min=1, max=most.pop())
    return tuple({open_axes[name]: length} if name in open_axes else None for name in takes)


def _rounded(program: Any, takes: Sequence[str], samples: Iterable[Values], left: Collection[str]) -> Any:
    """Return the module with its layers in 8 bits, but for those whose weights are named in `left`.

    Ranges are kept as histograms, so samples may be many.
    """
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    kinds = {
        getattr(node.target, "__name__", "").partition(".")[0]
        for node in program.graph.nodes
        if node.op == "call_function"
    }
    measured = bool(kinds & set(_CONVOLUTIONS))
    quantizer = XNNPACKQuantizer()
    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=not measured)
    quantizer.set_filter_function(lambda node: not any(getattr(each, "target", None) in left for each in node.args))
    for name in _LAYERS:
        quantizer.set_operator_type(getattr(torch.ops.aten, name).default, config)
    prepared = prepare_pt2e(program.module(), quantizer)
    for sample in samples:
        prepared(*(torch.from_numpy(sample[name]) for name in takes))
    return convert_pt2e(prepared)


def _delegated(program: Any) -> bytes:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return bytes(edge.to_executorch().buffer)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(". ")
