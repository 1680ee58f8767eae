"""From the per-image predictions of one thing varied to its table: one row a head and variant."""

import pandas as pd

from iqa.evaluation.study import summarize_heads


def summarize_variants(
    predictions: pd.DataFrame, baseline: str, resamples: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """SRCC of every variant, for each head apart, and its difference to the baseline variant.

    What varies may be a protocol, an objective, a backbone, a share of the training images. All
    variants of a head are tested on the same images, so differences are paired; the bootstrap draws
    content groups, and Holm's correction is made over the variants of one head.

    Args:
        predictions: the columns of `iqa.evaluation.study.COLUMNS` and `variant`; only rows whose
            side is "test" count. Of one head, variant and seed, each image stands once.
        baseline: the variant that the others are compared with.
        resamples: bootstrap draws.
        seed: of the draws.

    Returns:
        Columns head, variant, srcc (mean over seeds), low, high (95 %), srcc_sd_seeds, and, NaN for
        the baseline, difference, low_gap, high_gap, p, p_holm. Heads in the order of their first
        row, the variants of each best first.

    Raises:
        UserError: a prediction is missing or there twice, or a head lacks the baseline.
    """
    parts = []
    for head, part in predictions.groupby("head", sort=False):
        found = summarize_heads(part.assign(head=part["variant"]), baseline, resamples, seed)
        gaps = found.comparisons.query("figure == 'srcc'").drop(columns="figure")
        table = found.heads.drop(columns=["srcc_within", "within_low", "within_high"])
        table = table.merge(gaps, on="head", how="left", suffixes=("", "_gap"))
        parts.append(table.rename(columns={"head": "variant"}).assign(head=head))
    summary = pd.concat(parts, ignore_index=True)
    return summary[["head", *summary.columns.drop("head")]]
