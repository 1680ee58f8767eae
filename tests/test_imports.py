"""What is started without the libraries that take seconds to import."""

import subprocess
import sys

import numpy as np
import pandas as pd

# In one process, from what imports least to what imports most: a new one takes seconds itself.
STEPS = """
import sys


def absent(*names):
    assert not set(names) & set(sys.modules), names


import iqa.cli  # as `iqa --help`
absent("torch", "pandas")

import iqa.datasets
absent("torch", "scipy.ndimage", "skimage.color")

import pandas as pd
table = pd.DataFrame({"id": list("abcdefghij"), "group": list("abcdefghij")})
iqa.datasets.SPLITS["random"](table, 8)
iqa.datasets.SPLITS["grouped"](table, 8)
absent("torch")

import iqa.backbones, iqa.features
absent("torch")

sys.argv = ["iqa", "evaluate", "mine.csv"]
iqa.cli.app(standalone_mode=False)
absent("torch", "altair")

import iqa.experiments.study  # what works on cached features
absent("timm", "peft")
"""


def test_nothing_is_imported_that_is_not_needed(tmp_path):
    numbers = np.arange(60) % 7 + np.arange(60) / 60
    table = {"image": [f"{n}.png" for n in range(60)], "score": numbers, "mos": numbers[::-1]}
    pd.DataFrame(table).to_csv(tmp_path / "mine.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", STEPS], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
