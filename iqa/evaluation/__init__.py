"""Agreement of predictions with scores: metrics, intervals and paired tests."""

from iqa.evaluation.bootstrap import (
    bootstrap_interval,
    bootstrap_plcc,
    bootstrap_srcc,
    resample_counts,
)
from iqa.evaluation.correction import holm
from iqa.evaluation.fisher import compare_intervals, fisher_interval
from iqa.evaluation.folds import mean_over_folds, summarize_folds
from iqa.evaluation.means import summarize_means
from iqa.evaluation.metrics import (
    evaluate,
    fit_logistic,
    krcc,
    logistic,
    plcc,
    plcc_fitted,
    rmse,
    srcc,
)
from iqa.evaluation.paired import compare_with
from iqa.evaluation.reported import compare_reports
from iqa.evaluation.study import figures_by_fold, resampled_srcc, summarize_heads
from iqa.evaluation.variants import summarize_variants

__all__ = [
    "bootstrap_interval",
    "bootstrap_plcc",
    "bootstrap_srcc",
    "compare_intervals",
    "compare_reports",
    "compare_with",
    "evaluate",
    "figures_by_fold",
    "fisher_interval",
    "fit_logistic",
    "holm",
    "krcc",
    "logistic",
    "mean_over_folds",
    "plcc",
    "plcc_fitted",
    "resample_counts",
    "resampled_srcc",
    "rmse",
    "srcc",
    "summarize_folds",
    "summarize_heads",
    "summarize_means",
    "summarize_variants",
]
