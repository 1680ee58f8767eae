"""Images, scores and content groups, and how they are split."""

from iqa.datasets.checks import Report, check
from iqa.datasets.folds import FOLDS, grouped_folds, random_folds
from iqa.datasets.manifest import Split, check_groups, read_split, shared_groups, write_split
from iqa.datasets.photographs import PHOTOGRAPHS, Photograph
from iqa.datasets.pseudo_mos import METRICS, level_trend
from iqa.datasets.registry import ENTRIES, absent, info, load, names
from iqa.datasets.splits import (
    SPLITS,
    grouped_split,
    official_apart_split,
    official_split,
    published_split,
    random_split,
)
from iqa.datasets.subsets import training_shares
from iqa.datasets.types import Dataset, DatasetInfo, Facts

__all__ = [
    "ENTRIES",
    "FOLDS",
    "METRICS",
    "PHOTOGRAPHS",
    "SPLITS",
    "Dataset",
    "DatasetInfo",
    "Facts",
    "Photograph",
    "Report",
    "Split",
    "absent",
    "check",
    "check_groups",
    "grouped_folds",
    "grouped_split",
    "info",
    "level_trend",
    "load",
    "names",
    "official_apart_split",
    "official_split",
    "published_split",
    "random_folds",
    "random_split",
    "read_split",
    "shared_groups",
    "training_shares",
    "write_split",
]
