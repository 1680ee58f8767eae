"""What training leaves: every chosen head, its history, and how to use and keep them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from iqa.errors import unknown
from iqa.heads import MLPHead
from iqa.tensors import read_tensors, write_tensors

FORMAT = "iqa-heads-3"


@dataclass(frozen=True)
class TrainedHeads:
    """Presets x seeds of trained heads, each at its chosen epoch.

    Attributes:
        presets: names in `iqa.heads.PRESETS`, P of them.
        seeds: S of them.
        starts: what each seed's random generators began with, S of them.
        mean: what was subtracted from each feature, (D,).
        std: what it was then divided by, (D,).
        state: per preset, the heads' state dicts stacked over seeds: name -> (S, ...).
        history: one row per preset, seed and epoch (from 1): preset, seed, epoch, train_loss
            (mean over the training images, as the epoch went), val_srcc (NaN for constant
            predictions) and chosen (True on the epoch that was kept).
    """

    presets: tuple[str, ...]
    seeds: tuple[int, ...]
    starts: tuple[int, ...]
    mean: Tensor
    std: Tensor
    state: dict[str, dict[str, Tensor]]
    history: pd.DataFrame

    def head(self, preset: str, seed: int) -> MLPHead:
        """One head in eval mode, for features as they come out of the backbone.

        The standardisation is folded into the first layer: W' = W / std, b' = b - W' mean.

        Raises:
            UserError: the preset or the seed was not trained.
        """
        if preset not in self.presets:
            raise unknown("trained head", preset, list(self.presets))
        if seed not in self.seeds:
            raise unknown("seed", str(seed), [str(s) for s in self.seeds])
        row = self.seeds.index(seed)
        state = {name: values[row] for name, values in self.state[preset].items()}
        weight = state["fc1.weight"].double() / self.std.double()
        bias = state["fc1.bias"].double() - weight @ self.mean.double()
        hidden, in_features = weight.shape
        head = MLPHead.from_preset(preset, in_features, hidden)
        head.load_state_dict(state | {"fc1.weight": weight.float(), "fc1.bias": bias.float()})
        return head.eval()

    @torch.no_grad()
    def predict(self, features: ArrayLike) -> np.ndarray:
        """Scores (P, S, N), float32, of features (N, D) as they come out of the backbone."""
        x = torch.as_tensor(np.asarray(features, dtype=np.float32))
        scores = [[self.head(p, s)(x).numpy() for s in self.seeds] for p in self.presets]
        return np.array(scores)

    def select(self, presets: Sequence[str], seeds: Sequence[int]) -> "TrainedHeads":
        """The heads of these presets and seeds only, for example one to ship."""
        rows = [self.seeds.index(seed) for seed in seeds]
        state = {p: {n: v[rows] for n, v in self.state[p].items()} for p in presets}
        kept = self.history["preset"].isin(presets) & self.history["seed"].isin(seeds)
        history = self.history[kept].reset_index(drop=True)
        starts = tuple(self.starts[row] for row in rows)
        return TrainedHeads(
            tuple(presets), tuple(seeds), starts, self.mean, self.std, state, history
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file, history included, atomically."""
        tensors = {f"{p}/{n}": v for p in self.presets for n, v in self.state[p].items()}
        tensors |= {"mean": self.mean, "std": self.std}
        about = {
            "format": FORMAT,
            "presets": json.dumps(self.presets),
            "seeds": json.dumps(self.seeds),
            "starts": json.dumps(self.starts),
            "history": json.dumps(self.history.to_dict("list")),
        }
        write_tensors(path, tensors, about)


def load_heads(path: Path) -> TrainedHeads:
    """Read what `TrainedHeads.save` wrote.

    Raises:
        UserError: the file is missing, damaged or altered, or something else.
    """
    tensors, about = read_tensors(path, "heads", FORMAT)
    presets = tuple(json.loads(about["presets"]))
    state: dict[str, dict[str, Tensor]] = {preset: {} for preset in presets}
    for key, values in tensors.items():
        preset, _, name = key.rpartition("/")
        if preset:
            state[preset][name] = values
    seeds, starts = (tuple(json.loads(about[name])) for name in ("seeds", "starts"))
    history = pd.DataFrame(json.loads(about["history"]))
    return TrainedHeads(presets, seeds, starts, tensors["mean"], tensors["std"], state, history)
