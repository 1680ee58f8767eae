"""Images, scores and content groups, and how they are split."""

from iqa.datasets.splits import Split, grouped_folds, shared_groups
from iqa.datasets.types import Dataset, DatasetInfo

__all__ = ["Dataset", "DatasetInfo", "Split", "grouped_folds", "shared_groups"]
