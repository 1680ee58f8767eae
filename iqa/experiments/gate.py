"""What the gates of trained heads chose, how far they moved, and what the choice is worth."""

import numpy as np
import pandas as pd
import torch

from iqa.datasets import Split
from iqa.experiments.study import Prepared, Study, images_of
from iqa.heads import ActivationGate, MLPHead
from iqa.training import TrainedHeads
from iqa.training.frozen import new_head

HARDENED = ", hardened"
"""What stands behind the name of a head whose gates were hardened."""


def learned_gates(head: MLPHead) -> dict[str, ActivationGate]:
    """The gates of a head whose weights are trained."""
    gates = head.gates()
    return {layer: gate for layer, gate in gates.items() if isinstance(gate.g, torch.nn.Parameter)}


def read_gates(trained: TrainedHeads) -> pd.DataFrame:
    """Every learned gate weight, now and before training.

    Returns:
        A row a head, seed, layer, channel and candidate: head, seed, layer, candidate, weight,
        start (the weight before training), logit_moved (how far the logit of a gate of two moved;
        NaN for more, whose logits mean nothing but by their differences), preferred (True on the
        candidate that hardening keeps).
    """
    parts = []
    for name in trained.presets:
        hidden, width = trained.state[name]["fc1.weight"].shape[1:]
        for seed, start in zip(trained.seeds, trained.starts, strict=True):
            before = new_head(name, start, width, hidden).gates()
            for layer, gate in learned_gates(trained.head(name, seed)).items():
                where = {"head": name, "seed": seed, "layer": layer}
                parts.append(_read(gate, before[layer]).assign(**where))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@torch.no_grad()
def _read(gate: ActivationGate, before: ActivationGate) -> pd.DataFrame:
    weights, start = gate.weights().numpy(), before.weights().numpy()  # (K, channels)
    moved = np.full(gate.channels, np.nan)
    if len(gate.names) == 2:
        moved[:] = (gate.g.float() - before.g.float()).abs().numpy()
    ranks = np.arange(len(gate.names))[:, None]
    return pd.DataFrame(
        {
            "candidate": np.repeat(gate.names, gate.channels),
            "weight": weights.ravel(),
            "start": start.ravel(),
            "logit_moved": np.tile(moved, len(gate.names)),
            "preferred": (ranks == gate.preferred().numpy()).ravel(),
        }
    )


def predict_hardened(
    study: Study, prepared: Prepared, split: Split, trained: TrainedHeads
) -> pd.DataFrame:
    """As `predict_split` for the reported images, by the heads with their learned gates hardened.

    The name of each head gets the ending `HARDENED`.
    """
    images = images_of(study, prepared, split, "test")
    features = torch.from_numpy(prepared.features.values[images.index])
    parts = []
    for name in trained.presets:
        for seed in trained.seeds:
            head = trained.head(name, seed)
            if learned_gates(head):
                with torch.inference_mode():
                    scores = head.harden()(features).numpy()
                parts.append(images.assign(head=name + HARDENED, seed=seed, prediction=scores))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
