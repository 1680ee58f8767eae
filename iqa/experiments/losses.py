"""What a head is trained on, varied: the objective, and the scale of the targets.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from iqa.evaluation import figures_by_fold
from iqa.experiments.study import Prepared, Study, cross_validate
from iqa.training import SCALE_FREE


@dataclass(frozen=True)
class Loss:
    """An objective and the range that targets are mapped to for it.

    Attributes:
        objective: a name in `iqa.training.OBJECTIVES`.
        low: the target of the lowest score of the published range.
        high: the target of its highest.
    """

    objective: str
    low: float = 0.0
    high: float = 1.0

    @property
    def scale_free(self) -> bool:
        """Whether predictions need not be on the scale of the targets, so RMSE says nothing."""
        return self.objective in SCALE_FREE


LOSSES = {
    "MSE + margin": Loss("mse+margin"),
    "MSE + margin, swapped": Loss("mse+margin_published"),
    "MSE + margin, .01–.05": Loss("mse+margin", 0.01, 0.05),
    "MSE": Loss("mse"),
    "margin": Loss("margin"),
    "1 − PLCC": Loss("correlation"),
}
"""By the name that tables show: the paper's formula, its code (B1), the targets that its code gives
KonIQ-10k, scores of 1 to 5 divided by 100 (B3), and others."""


def compare_losses(study: Study, prepared: Prepared, losses: Mapping[str, Loss]) -> pd.DataFrame:
    """Cross-validate with each loss, all else equal.

    Returns:
        Predictions as of `iqa.experiments.study.predict_split`, and the column variant, the name of
        the loss. All predictions are mapped back to the range of `prepared.targets`.
    """
    target = dict(zip(prepared.table["id"], prepared.targets, strict=True))
    parts = []
    for name, loss in losses.items():
        protocol = study.protocol.but(name, objective=loss.objective)
        scaled = replace(prepared, targets=loss.low + (loss.high - loss.low) * prepared.targets)
        part, _ = cross_validate(study.model_copy(update={"protocol": protocol}), scaled)
        back = (part["prediction"].astype(float) - loss.low) / (loss.high - loss.low)
        parts.append(part.assign(prediction=back, target=part["id"].map(target), variant=name))
    return pd.concat(parts, ignore_index=True)


def matched_to_validation(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions with the mean and standard deviation that the ratings have on validation.

    A loss may leave shift and scale free, or reach them late; the heads of different folds then
    speak on different scales, and an SRCC over all folds would judge that in place of the order.
    Each head's predictions are mapped by p -> (p - mean(p)) std(y) / std(p) + mean(y), all taken on
    its validation images: within one fold no order changes.

    Args:
        predictions: of `compare_losses`, validation rows among them. Predictions that are constant
            on validation are only shifted.
    """
    head = ["head", "variant", "seed", "fold"]
    val = predictions[predictions["side"] == "val"].groupby(head)[["prediction", "target"]]
    mean, std = val.mean(), val.std(ddof=0)
    ratio = (std["target"] / std["prediction"].where(std["prediction"] > 0)).fillna(1.0)
    per_head = pd.DataFrame({"ratio": ratio, "of": mean["prediction"], "to": mean["target"]})
    found = per_head.loc[pd.MultiIndex.from_frame(predictions[head])].reset_index(drop=True)
    ours = predictions["prediction"].reset_index(drop=True)
    mapped = (ours - found["of"]) * found["ratio"] + found["to"]
    return predictions.assign(prediction=mapped.to_numpy())


def agreement(predictions: pd.DataFrame, losses: Mapping[str, Loss]) -> pd.DataFrame:
    """PLCC and RMSE of each head and variant, the mean over folds and seeds.

    Args:
        predictions: of `compare_losses`, validation rows among them.
        losses: what was compared.

    Returns:
        Columns head, variant, plcc_val_fit (after a logistic fitted on validation; NaN where one
        fold lacks it) and rmse (NaN where the loss leaves the scale free).
    """
    rows = []
    for (head, variant), part in predictions.groupby(["head", "variant"], sort=False):
        means = figures_by_fold(part)[["plcc_val_fit", "rmse"]].mean(skipna=False)
        if losses[str(variant)].scale_free:
            means["rmse"] = float("nan")
        rows.append({"head": head, "variant": variant, **means})
    return pd.DataFrame(rows)
