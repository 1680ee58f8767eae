import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError

INFO = DatasetInfo("toy", "Toy", "MOS", 0.0, 100.0, True, "", "", "", None, "get it again")


def table(**columns):
    rows = {
        "id": ["a", "b", "c"],
        "path": ["/a.png", "/b.png", "/c.png"],
        "score": [0.0, 50.0, 100.0],
        "target": [0.0, 0.5, 1.0],
        "group": ["g", "g", "h"],
    }
    return pd.DataFrame(rows | columns)


def test_a_sound_table_is_accepted():
    assert len(Dataset(INFO, table(), "0" * 16)) == 3


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (table().drop(columns=["group"]), r"column group not found \(found: id, path"),
        (table().iloc[:0], "no rows"),
        (table(id=["a", "b", "a"]), "id 'a' is there more than once"),
        (table(id=["a", "", "c"]), "row 1 has no id"),
        (table(group=["g", None, "h"]), "id 'b' has no content group"),
        (table(score=[0.0, np.nan, 1.0]), "score of id 'b' is 'nan'"),
        (table(score=[0.0, "good", 1.0]), "score of id 'b' is 'good'"),
        (table(target=[0.0, np.inf, 1.0]), "target of id 'b' is 'inf'"),
        (table(score=[0.0, 50.0, 130.0], target=[0.0, 0.5, 1.3]), "score of id 'c' is 130.0"),
    ],
)
def test_a_fault_is_one_line_with_name_and_remedy(faulty, message):
    with pytest.raises(UserError, match=message) as caught:
        Dataset(INFO, faulty, "0" * 16)
    line = str(caught.value)
    assert line.startswith("dataset `toy`: ")
    assert line.endswith("get it again")
    assert "\n" not in line


@given(st.lists(st.floats(1, 5), min_size=1), st.booleans())
def test_target_spans_the_published_range_in_its_direction(scores, higher):
    info = dataclasses.replace(INFO, low=1.0, high=5.0, higher_is_better=higher)
    target = info.to_target(pd.Series(scores))
    assert target.between(0, 1).all()
    best = np.argmax(scores) if higher else np.argmin(scores)
    assert target.iloc[best] == target.max()


def test_features_of_images_do_not_hang_on_scores_or_groups():
    def mark(**columns):
        return Dataset(INFO, table(size=[1, 2, 3]).assign(**columns), "0" * 16).images_fingerprint

    assert mark() == mark(score=[1.0, 50.0, 99.0], group="g", path="/elsewhere.png")
    assert len({mark(), mark(size=[1, 2, 4]), mark(id=["a", "b", "d"]), mark(pixels="0f")}) == 4
