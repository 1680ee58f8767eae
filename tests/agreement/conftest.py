import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def made():
    """Ratings of 60 contents of 2 images, and predictions whose errors have the size asked for."""
    rng = np.random.default_rng(0)
    images = pd.DataFrame(
        {
            "image": [f"img/{n:03d}.png" for n in range(120)],
            "mos": np.round(rng.uniform(1, 5, 120), 3),
            "scene": np.repeat([f"s{n:02d}" for n in range(60)], 2),
        }
    )

    def of(error, seed=1):
        noise = np.random.default_rng(seed).normal(size=120)
        return images.assign(score=images["mos"] + error * noise)

    return of


@pytest.fixture
def write(tmp_path):
    def to(name, table):
        path = tmp_path / name
        if path.suffix == ".parquet":
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        return path

    return to
