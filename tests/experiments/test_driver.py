import os

import pytest
from conftest import PARAMETERS, WORK, make_notebook

from iqa.errors import UserError
from iqa.experiments import RunSpec, read_record, run


def spec(**parameters):
    return RunSpec(experiment="toy", parameters=parameters)


def test_a_run_leaves_its_record_and_is_skipped_when_nothing_changed(project, profile):
    first = run(spec(), profile)
    record, tables = read_record(first.folder)
    assert first.fresh
    assert record.profile == "p"
    assert record.seconds["total"] > 0
    assert len(tables["rows"]) == 3
    assert (first.folder / "notebook.ipynb").is_file()
    assert not run(spec(), profile).fresh

    changed = run(spec(epochs=5), profile)
    assert changed.fresh
    assert read_record(changed.folder)[0].key != record.key


def test_a_failing_cell_keeps_the_old_record_and_its_own_output(project, profile):
    old = run(spec(), profile)
    broken = WORK + "\nraise ValueError('no good')"
    make_notebook(project / "notebooks" / "toy.ipynb", work=broken)
    with pytest.raises(UserError, match=r"toy failed with ValueError: no good .*toy.failed.ipynb"):
        run(spec(), profile)
    assert read_record(old.folder)[0].experiment == "toy"
    assert "no good" in (project / "runs" / "toy.failed.ipynb").read_text()
    assert sorted(os.listdir(project / "runs")) == ["toy", "toy.failed.ipynb"]

    make_notebook(project / "notebooks" / "toy.ipynb", parameters=PARAMETERS + "\nmore = 1")
    assert run(spec(), profile).fresh
    assert os.listdir(project / "runs") == ["toy"]


def test_an_unknown_parameter_starts_nothing(project, profile):
    with pytest.raises(UserError, match="unknown parameter"):
        run(spec(epohcs=5), profile)
    assert not (project / "runs").exists()


def test_a_notebook_that_could_keep_no_record_is_refused(project, profile):
    make_notebook(project / "notebooks" / "toy.ipynb", parameters="epochs = 3")
    with pytest.raises(UserError, match="declare `record_to"):
        run(spec(), profile)


def test_an_unknown_experiment_lists_the_notebooks(project, profile):
    with pytest.raises(UserError, match="unknown experiment 'nose': choose one of toy"):
        run(RunSpec(experiment="nose"), profile)
