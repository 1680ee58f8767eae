"""Every notebook from its parameters to its record, on miniatures with an untrained backbone."""

import pytest

from iqa.experiments import read_profile, read_record, run

SMOKE = read_profile("smoke")


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The smoke profile, its records in a folder of the test's own."""
    folder = str(tmp_path_factory.mktemp("smoke"))
    return SMOKE.model_copy(update={"folder": folder})


@pytest.mark.parametrize("spec", SMOKE.resolved(), ids=lambda spec: spec.label)
def test_a_notebook_leaves_a_whole_record(smoke, spec, in_this_process):
    record, tables = read_record(run(spec, smoke).folder)
    assert record.experiment == spec.label
    assert record.dataset.score_kind == "pseudo-MOS"
    assert record.untrained == (spec.label != "demo_data")
    assert tables
    for name, table in tables.items():
        assert len(table) or name in ("grid", "ceiling")  # not on the miniature
    if "predictions" not in tables:
        return
    predictions = tables["predictions"]
    # The first two leak on purpose; the miniature of the scorer is its untouched set, too.
    if spec.label not in ("leakage", "audit", "scorer"):
        same = predictions.groupby(["split", "fold"])
        for _, part in same:
            inside = part[part["tested_on"] != "other half"] if "tested_on" in part else part
            sides = [set(one["group"]) for _, one in inside.groupby("side")]
            assert len(set.union(*sides)) == sum(map(len, sides)), "a content is on two sides"


def test_one_head_is_enough(smoke, in_this_process):
    for label in ("activations", "learning_rates", "tsne", "data_efficiency"):
        spec = smoke.find(label)
        one = spec.model_copy(
            update={"name": f"{label}-one", "parameters": spec.parameters | {"heads": ["relu"]}}
        )
        assert run(one, smoke).fresh


def test_a_scorer_of_one_set_alone(smoke, in_this_process):
    spec = smoke.find("scorer")
    alone = spec.model_copy(
        update={
            "name": "scorer-alone",
            "parameters": spec.parameters | {"first": "", "seeds": [8, 19]},
        }
    )
    predictions = read_record(run(alone, smoke).folder)[1]["predictions"]
    assert set(predictions["regime"]) == {"frozen", "full"}
