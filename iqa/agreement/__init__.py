"""How well any model's predictions agree with ratings, and whether one model agrees better.

Tables in, numbers out:

    tables = [read_predictions(Path("theirs.csv")), read_predictions(Path("mine.csv"))]
    matched = match(tables, ratings_of(load("clive")))
    performance(matched, "mine")                  # metric, value, low, high
    compare(matched, baseline="theirs")           # difference, low, high, p_holm, verdict
    audit_split(read_sides(Path("split.csv")), load("clive"))      # what its sides share
"""

from iqa.agreement.matching import Matched, Ratings, match, model_names, ratings_in, ratings_of
from iqa.agreement.performance import (
    METRICS,
    compare,
    estimates,
    fitted,
    outliers,
    per_content,
    performance,
)
from iqa.agreement.predictions import Predictions, read_predictions
from iqa.agreement.split_audit import Leak, audit_split, left_out, read_sides

__all__ = [
    "METRICS",
    "Leak",
    "Matched",
    "Predictions",
    "Ratings",
    "audit_split",
    "compare",
    "estimates",
    "fitted",
    "left_out",
    "match",
    "model_names",
    "outliers",
    "per_content",
    "performance",
    "ratings_in",
    "ratings_of",
    "read_predictions",
    "read_sides",
]
