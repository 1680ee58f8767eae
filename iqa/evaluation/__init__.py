"""Agreement of predictions with scores: metrics, and one way to compare them."""

from iqa.evaluation.ceiling import srcc_ceilings
from iqa.evaluation.estimates import Estimates
from iqa.evaluation.estimators import (
    content_means,
    pooled_folds,
    single_splits,
    split_means,
    transferred,
    whole_assignments,
    within_contents,
)
from iqa.evaluation.laws import FEWEST_CONTENTS, OverContents, OverSplits, fisher_interval
from iqa.evaluation.metrics import (
    evaluate,
    evaluate_splits,
    fit_logistic,
    krcc,
    logistic,
    plcc,
    plcc_fitted,
    rmse,
    srcc,
)
from iqa.evaluation.verdict import MARGIN, Verdict, holm, verdict

__all__ = [
    "FEWEST_CONTENTS",
    "MARGIN",
    "Estimates",
    "OverContents",
    "OverSplits",
    "Verdict",
    "content_means",
    "evaluate",
    "evaluate_splits",
    "fisher_interval",
    "fit_logistic",
    "holm",
    "krcc",
    "logistic",
    "plcc",
    "plcc_fitted",
    "pooled_folds",
    "rmse",
    "single_splits",
    "split_means",
    "srcc",
    "srcc_ceilings",
    "transferred",
    "verdict",
    "whole_assignments",
    "within_contents",
]
