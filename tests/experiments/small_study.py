"""A study of few made-up images, whose scores are their first feature but for noise."""

import numpy as np
import pandas as pd

from iqa.datasets import Dataset, DatasetInfo
from iqa.experiments.study import Study, arrange
from iqa.features import Features
from iqa.training import HeadTraining


def small_study(images=60, a_content=3, **changes):
    """A study and what it works on; `a_content` images share a content."""
    fields = {
        "dataset": "made_up",
        "backbone": "efficientnet_lite0",
        "heads": ("relu", "sigmoid"),
        "seeds": (8, 19),
        "folds": 3,
        "training": HeadTraining(epochs=4, hidden=16, batch_size=8, learning_rate=1e-2),
    }
    study = Study(**(fields | changes))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(images, 4)).astype(np.float32)
    target = np.clip(0.5 + 0.2 * x[:, 0] + rng.normal(0, 0.05, images), 0, 1)
    ids = [f"i{n:03}" for n in range(images)]
    table = pd.DataFrame({"id": ids, "path": ids, "score": 100 * target, "target": target})
    table["group"] = [f"g{n // a_content}" for n in range(images)]
    about = DatasetInfo("made_up", "Made up", "MOS", 0.0, 100.0, True, "", "", "", None, "")
    data = Dataset(about, table, "f00d")
    return study, arrange(study, data, Features(tuple(ids), x, "key"))
