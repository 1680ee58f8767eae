"""What was found, in sentences that the terminal and the page share."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from iqa.agreement.matching import Matched
from iqa.evaluation import FEWEST_CONTENTS, MARGIN, srcc


def caveats(matched: Matched) -> Iterator[str]:
    """What a reader should know before the numbers, a line each."""
    yield from matched.notes
    if not matched.ratings.contents_known:
        yield (
            "no content column: every image counts as its own content; where images share a "
            "scene, the intervals are too narrow"
        )
    if matched.contents < FEWEST_CONTENTS:
        yield (
            f"{matched.contents} contents: intervals and verdicts need {FEWEST_CONTENTS} or more "
            "and are withheld"
        )
    rating = matched.ratings.images["rating"]
    for model, preds in matched.predictions.items():
        agreement = srcc(preds, rating)
        if (preds == rating).all():
            yield (
                f"{model}: every prediction equals its rating, so one column may have been taken "
                "for both; name them by --prediction and --rating, or score=COLUMN after csv:"
            )
        if agreement < -0.2:
            yield (
                f"{model}: predictions fall as ratings rise (SRCC {agreement:.3f}), which the "
                "fitted metrics hide; turn them by --better lower (evaluate) or --lower MODEL "
                "(compare) if lower is better; in ratings, by --rating-better lower"
            )
        elif _on_another_scale(preds, rating):
            yield (
                f"{model}: predictions ({preds.min():.4g} to {preds.max():.4g}) seem to be on "
                f"another scale than ratings ({rating.min():.4g} to {rating.max():.4g}); read RMSE "
                "fitted, not RMSE raw"
            )


def _on_another_scale(preds: pd.Series, rating: pd.Series) -> bool:
    """Whether predictions lie elsewhere than ratings or spread far more or less."""
    spread = rating.std(ddof=0)
    apart = abs(preds.mean() - rating.mean()) > 1.5 * spread
    return apart or not spread / 5 < preds.std(ddof=0) < 5 * spread


def headline(row: Any, baseline: str, metric: str, margin: float = MARGIN) -> str:
    """What a difference amounts to.

    Args:
        row: of the table that `compare` gives, with its columns as attributes.
        baseline: the model that was subtracted.
        metric: its title.
        margin: of equivalence that was used.
    """
    size = f"{metric} {row.difference:+.3f}"
    if pd.notna(row.low):
        size += (
            f" (95 % interval {row.low:+.3f} to {row.high:+.3f}, p {_chance(row.p_holm)} by Holm)"
        )
    if row.verdict == "equivalent":
        return f"{row.model} and {baseline} are equivalent: {size}, inside the margin of {margin:g}"
    if row.verdict == "undecided":
        return f"Undecided whether {row.model} is better or worse than {baseline}: {size}"
    return f"{row.model} is {row.verdict} than {baseline}: {size}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def cells(table: pd.DataFrame) -> list[list[str]]:
    """A table as text, its columns low and high as one; a dash where a number is withheld."""
    shown = table.copy()
    if "p_holm" in shown:
        shown["p_holm"] = [_chance(p) if pd.notna(p) else "-" for p in shown["p_holm"]]
    if "low" in shown:
        ends = zip(shown["low"], shown["high"], strict=True)
        interval = ["-" if pd.isna(low) else f"{_cell(low)} to {_cell(high)}" for low, high in ends]
        shown.insert(list(shown.columns).index("low"), "interval", interval)
        shown = shown.drop(columns=["low", "high"])
    return [[_cell(value) for value in row] for row in shown.itertuples(index=False)]


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if pd.isna(value) else f"{value:.5g}" if abs(value) >= 100 else f"{value:.3f}"
