"""Images, scores and content groups, and how they are split."""

from iqa.datasets.photographs import PHOTOGRAPHS, Photograph
from iqa.datasets.pseudo_mos import METRICS, level_trend
from iqa.datasets.registry import info, load, names
from iqa.datasets.splits import Split, grouped_folds, shared_groups
from iqa.datasets.types import Dataset, DatasetInfo

__all__ = [
    "METRICS",
    "PHOTOGRAPHS",
    "Dataset",
    "DatasetInfo",
    "Photograph",
    "Split",
    "grouped_folds",
    "info",
    "level_trend",
    "load",
    "names",
    "shared_groups",
]
