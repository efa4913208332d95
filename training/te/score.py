"""Precision, recall and F1 of marks and capitals on paragraphs of about 80 words."""

from __future__ import annotations

import numpy as np
import torch
from batches import IGNORED, Text, whole

from lowvox.text.marks import CASES, MARKS


@torch.no_grad()
def logits(model: torch.nn.Module, text: Text, most: int = 10**9) -> tuple[np.ndarray, ...]:
    """Run the network on what is held out; returns logits and labels of marks [n, 8], [n] and of cases [n, 4], [n]."""
    model.eval()
    parts: list[list[np.ndarray]] = [[], [], [], [], [], []]
    done = 0
    for begin, end in text.paragraphs():
        batch = whole(text, begin, end)
        marks, cases, opens = model(batch.rows)
        real = batch.mark[0] != IGNORED
        values = (
            marks[0][real],
            batch.mark[0][real],
            cases[0][real],
            batch.case[0][real],
            opens[0][real],
            batch.opens[0][real],
        )
        for part, value in zip(parts, values, strict=True):
            part.append(value.float().numpy())
        done += end - begin
        if done > most:
            break
    model.train()
    return tuple(np.concatenate(part) for part in parts)


def f1(predicted: np.ndarray, label: np.ndarray, kind: int) -> tuple[float, float, float]:
    """Precision, recall, F1 of one class."""
    hit = int(((predicted == kind) & (label == kind)).sum())
    precision = hit / max(1, int((predicted == kind).sum()))
    recall = hit / max(1, int((label == kind).sum()))
    return precision, recall, 2 * hit / max(1, int((predicted == kind).sum()) + int((label == kind).sum()))


def table(marks: np.ndarray, mark: np.ndarray, cases: np.ndarray, case: np.ndarray) -> dict[str, float]:
    """F1 of each mark that occurs, the mean over `, . ?`, and of words with capitals (right class)."""
    predicted = marks.argmax(-1)
    found = {name: f1(predicted, mark, kind)[2] for kind, name in enumerate(MARKS) if name and (mark == kind).any()}
    found["mean"] = float(np.mean([found.get(name, 0.0) for name in ",.?"]))
    known = case != IGNORED
    chosen, truth = cases.argmax(-1)[known], case[known]
    hit = int(((chosen == truth) & (truth > 0)).sum())
    found["capitals"] = 2 * hit / max(1, int((chosen > 0).sum()) + int((truth > 0).sum()))
    for kind in (2, 3):
        found[CASES[kind]] = f1(chosen, truth, kind)[2]
    return {name: round(value, 4) for name, value in found.items()}
