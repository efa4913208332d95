"""A stand-in for a Vosk model that Vosk itself loads: it hears loud sound and calls each burst "beep".

True in layout and file formats (Kaldi text model, OpenFst binary graph); its network is one matrix that looks at the
first cepstral coefficient, which is loudness. A few kilobytes, no training.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# (input label, output label, weight, next state); a transition id 2p enters phone p, 2p-1 stays in it.
Arc = tuple[int, int, float, int]
_NEVER = float("inf")
_SILENCE, _LOUD = 1, 2
_COEFFICIENTS = 13


def build(root: Path, version: int = 2, coefficients: int = _COEFFICIENTS) -> Path:
    """Write the model below `root` in Vosk's layout 1 (flat) or 2, with a static graph; return `root`.

    With other than 13 `coefficients` the network does not fit the sound: it loads, and no decoder can be made.
    """
    am, conf, graph, phones = ("am/", "conf/", "graph/", "graph/phones/") if version == 2 else ("", "", "", "")
    files: dict[str, bytes] = {
        f"{am}final.mdl": _acoustic_model(coefficients).encode(),
        f"{conf}mfcc.conf": b"--use-energy=false\n--sample-frequency=16000\n",
        f"{graph}HCLG.fst": _graph(),
        f"{graph}words.txt": b"<eps> 0\nbeep 1\n#0 2\n",
        f"{phones}word_boundary.int": f"{_SILENCE} nonword\n{_LOUD} singleton\n".encode(),
    }
    if version == 2:
        files["conf/model.conf"] = (
            b"--beam=10\n--lattice-beam=2\n--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n"
        )
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return root


def _acoustic_model(coefficients: int) -> str:
    """Return final.mdl: two phones of one state, and a network that scores them by loudness."""
    weights = "\n  ".join(f"{weight} " + "0 " * (coefficients - 1) for weight in (-0.2, 0.2))
    # Kaldi's reader wants a space after each token, also at the end of a line: " \n" stands for a line's end.
    text = f"""<TransitionModel>
<Topology>
<TopologyEntry>
<ForPhones>
{_SILENCE} {_LOUD}
</ForPhones>
<State> 0 <PdfClass> 0
<Transition> 0 0.5
<Transition> 1 0.5
</State>
<State> 1
</State>
</TopologyEntry>
</Topology>
<Triples> 2
{_SILENCE} 0 0
{_LOUD} 0 1
</Triples>
<LogProbs>
[ 0 -0.693 -0.693 -0.693 -0.693 ]
</LogProbs>
</TransitionModel>
<Nnet3>
input-node name=input dim={coefficients}
component-node name=affine component=affine input=input
output-node name=output input=affine objective=linear
"""
    components = f"""
<NumComponents> 1
<ComponentName> affine <FixedAffineComponent> <LinearParams> [
  {weights} ]
<BiasParams> [ 12 -12 ]
</FixedAffineComponent> </Nnet3> <LeftContext> 0 <RightContext> 0 <Priors> [ ]
"""
    return text.replace("\n", " \n") + components


def _graph() -> bytes:
    """Return HCLG.fst: any sequence of silences, which say nothing, and of loud stretches, which say word 1."""
    states: list[tuple[float, list[Arc]]] = [
        (0.0, [(2 * _SILENCE, 0, 1.0, 1), (2 * _LOUD, 1, 3.0, 2)]),
        (_NEVER, [(2 * _SILENCE - 1, 0, 0.7, 1), (0, 0, 0.0, 0)]),
        (_NEVER, [(2 * _LOUD - 1, 0, 0.7, 2), (0, 0, 0.0, 0)]),
    ]
    names = b"".join(struct.pack("<i", len(name)) + name for name in (b"vector", b"standard"))
    arcs = sum(len(leaving) for _, leaving in states)
    # OpenFst's magic number, then version, flags, properties, first state, counts.
    written = struct.pack("<i", 2125659606) + names + struct.pack("<iiQqqq", 2, 0, 3, 0, len(states), arcs)
    for final, leaving in states:
        written += struct.pack("<fq", final, len(leaving)) + b"".join(struct.pack("<iifi", *arc) for arc in leaving)
    return written
