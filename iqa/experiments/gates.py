"""What the gates of trained heads chose, how far they moved, and what the choice is worth."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from iqa.datasets import Split
from iqa.evaluation import compare_with, resampled_srcc
from iqa.experiments import rules
from iqa.experiments.study import Prepared, Study
from iqa.heads import ActivationGate, MLPHead
from iqa.training import TrainedHeads
from iqa.training.frozen import new_head

QUANTILES = {"q00": 0.0, "q05": 0.05, "q50": 0.5, "q95": 0.95, "q100": 1.0}
HARDENED = ", hardened"
"""What stands behind the name of a head whose gates were hardened."""
PAIRED = ("head", "minus", "srcc", "srcc_minus", "difference", "low", "high", "p", "p_holm")
"""Columns of a comparison of pairs: the SRCC of `head` and of `minus`, and their difference."""


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
        for seed in trained.seeds:
            before = new_head(name, seed, width, hidden).gates()
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


def describe_gates(gates: pd.DataFrame) -> pd.DataFrame:
    """The weights of `read_gates` in a few numbers per training, head, layer and candidate.

    Args:
        gates: of `read_gates`, with a column training; of any number of folds and seeds.

    Returns:
        Columns training, head, layer, candidate, start (mean), lowest and highest weight, the
        `QUANTILES` of its change from the start, moved_mean and moved_max (the size of the change),
        logit_moved_max, preferred (the share of channels).
    """
    gates = gates.assign(change=gates["weight"] - gates["start"])
    gates["moved"] = gates["change"].abs()
    places = ["training", "head", "layer", "candidate"]
    by_candidate = gates.groupby(places, sort=False)
    numbers = by_candidate.agg(
        start=("start", "mean"),
        lowest=("weight", "min"),
        highest=("weight", "max"),
        moved_mean=("moved", "mean"),
        moved_max=("moved", "max"),
        logit_moved_max=("logit_moved", "max"),
        preferred=("preferred", "mean"),
    )
    quantiles = by_candidate["change"].quantile(list(QUANTILES.values())).unstack()
    quantiles.columns = list(QUANTILES)
    # In the order of the gates' own candidates, which grouping does not keep.
    return gates[places].drop_duplicates().merge(numbers.join(quantiles), on=places)


def predict_hardened(
    study: Study, prepared: Prepared, split: Split, trained: TrainedHeads
) -> pd.DataFrame:
    """As `predict_split` for the reported images, by the heads with their learned gates hardened.

    The name of each head gets the ending `HARDENED`.
    """
    rows = prepared.rows(rules.reported_images(study.protocol, split))
    features = torch.from_numpy(prepared.features.values[rows])
    images = prepared.table.iloc[rows][["id", "group", "target"]]
    parts = []
    for name in trained.presets:
        for seed in trained.seeds:
            head = trained.head(name, seed)
            if not learned_gates(head):
                continue
            with torch.inference_mode():
                scores = head.harden()(features).numpy()
            where = {"head": name + HARDENED, "seed": seed, "fold": split.fold, "side": "test"}
            parts.append(images.assign(**where, prediction=scores))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def pairs_of_heads(
    predictions: pd.DataFrame, pairs: Iterable[tuple[str, str]], resamples: int = 10_000
) -> pd.DataFrame:
    """Paired differences in SRCC of pairs of heads, Holm-corrected over the pairs.

    Args:
        predictions: as for `iqa.evaluation.summarize_heads`.
        pairs: (head, the head that is subtracted); one of whose heads has no predictions is left
            out.
        resamples: bootstrap draws of content groups.

    Returns:
        Columns `PAIRED`.
    """
    there = set(predictions["head"])
    pairs = [pair for pair in pairs if there.issuperset(pair)]
    if not pairs:
        return pd.DataFrame(columns=list(PAIRED))
    heads = {name for pair in pairs for name in pair}
    names, observed, samples = resampled_srcc(
        predictions[predictions["head"].isin(heads)], resamples
    )
    first, second = ([names.index(pair[side]) for pair in pairs] for side in (0, 1))
    # Each difference is compared with one that is always 0.
    labels = ["nothing", *(str(i) for i in range(len(pairs)))]
    gaps = observed[first] - observed[second]
    drawn = samples[first] - samples[second]
    nothing = np.zeros((1, samples.shape[1]))
    table = compare_with("nothing", labels, np.append(0, gaps), np.vstack([nothing, drawn]))
    table["head"], table["minus"] = zip(*pairs, strict=True)
    return table.assign(srcc=observed[first], srcc_minus=observed[second])[list(PAIRED)]


def push_gate(learning_rate: float, steps: int) -> pd.DataFrame:
    """The logit of a gate that one and the same gradient pushes up, in float32 and in bfloat16.

    The gate and the optimiser (Adam) are those of the training of heads.

    Returns:
        A row a step: step, float32, bfloat16 (the logits), adams_step (the length of the step that
        Adam asks for in bfloat16), half_gap (half the distance from the bfloat16 logit to the next
        number above: a shorter step is rounded away).
    """
    gates = [
        ActivationGate(1, ["learnable_sigmoid", "learnable_leaky_relu"], dtype=dtype)
        for dtype in (torch.float32, torch.bfloat16)
    ]
    adam = torch.optim.Adam([gate.g for gate in gates], learning_rate, fused=True)
    rows = []
    for step in range(1, steps + 1):
        adam.zero_grad()
        for gate in gates:
            gate.g.grad = torch.full_like(gate.g, -1.0)
        adam.step()
        precise, rounded = (gate.g.detach() for gate in gates)
        above = torch.nextafter(rounded, torch.full_like(rounded, torch.inf))
        rows.append(
            {
                "step": step,
                "float32": precise.item(),
                "bfloat16": rounded.item(),
                "adams_step": _step_length(adam, gates[1].g, learning_rate, step),
                "half_gap": (above.float() - rounded.float()).item() / 2,
            }
        )
    return pd.DataFrame(rows)


def _step_length(
    adam: torch.optim.Optimizer, parameter: torch.Tensor, learning_rate: float, step: int
) -> float:
    """Length of Adam's last step, learning_rate * m_hat / sqrt(v_hat) (Kingma, Ba, ICLR 2015)."""
    state, (beta1, beta2) = adam.state[parameter], adam.defaults["betas"]
    mean = state["exp_avg"].float().item() / (1 - beta1**step)
    square = state["exp_avg_sq"].float().item() / (1 - beta2**step)
    return learning_rate * abs(mean) / square**0.5
