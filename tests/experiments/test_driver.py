import os

import pytest
from conftest import PARAMETERS, WORK, make_notebook, without_kernel
from PIL import Image

from iqa.errors import UserError
from iqa.experiments import RunSpec, read_record, run
from iqa.experiments.record import read_execution


def spec(**parameters):
    return RunSpec(experiment="toy", parameters=parameters)


def test_a_run_leaves_its_record_and_is_skipped_when_nothing_changed(project, profile):
    first = run(spec(), profile)
    record, tables = read_record(first.folder)
    assert first.fresh
    assert read_execution(first.folder).profile == "p"
    assert record.experiment == "toy"
    assert len(tables["rows"]) == 3
    assert (first.folder / "notebook.ipynb").is_file()
    assert not run(spec(), profile).fresh

    with without_kernel():
        changed = run(spec(epochs=5), profile)
    assert changed.fresh
    assert len(read_record(changed.folder)[1]["rows"]) == 5


def test_a_failing_cell_keeps_the_old_record_and_its_own_output(project, profile):
    with without_kernel():
        old = run(spec(), profile)
    broken = WORK + "\nraise ValueError('no good')"
    make_notebook(project / "notebooks" / "toy.ipynb", work=broken)
    with pytest.raises(UserError, match=r"toy failed with ValueError: no good .*toy.failed.ipynb"):
        run(spec(), profile)
    assert read_record(old.folder)[0].experiment == "toy"
    assert "no good" in (project / "runs" / "toy.failed.ipynb").read_text()
    assert sorted(os.listdir(project / "runs")) == ["toy", "toy.failed.ipynb"]

    make_notebook(project / "notebooks" / "toy.ipynb", parameters=PARAMETERS + "\nmore = 1")
    with without_kernel():
        assert run(spec(), profile).fresh
    assert os.listdir(project / "runs") == ["toy"]


def test_a_killed_kernel_is_told_in_a_line(project, profile):
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    make_notebook(project / "notebooks" / "toy.ipynb", work=killed)
    with pytest.raises(UserError, match=r"toy: its process was killed, .* smaller input size"):
        run(spec(), profile)
    assert os.listdir(project / "runs") == []


def test_runs_that_start_together_cannot_get_the_same_port(project, profile):
    asked = "import json\nfrom ipykernel.connect import get_connection_info\n"
    check = "assert json.loads(get_connection_info())['transport'] == 'ipc'\n"
    make_notebook(project / "notebooks" / "toy.ipynb", work=asked + check + WORK)
    assert run(spec(), profile).fresh


def test_a_relative_table_is_found_though_the_notebook_runs_elsewhere(
    project, profile, in_this_process, tmp_path, monkeypatch
):
    make_notebook(
        project / "notebooks" / "toy.ipynb",
        parameters=PARAMETERS + "\ndataset = 'demo'\nothers = []",
        work="from iqa import datasets\n"
        "epochs = len(datasets.load(dataset)) + len(datasets.load(others[0]))\n" + WORK,
    )
    for name in ("a b.png", "c.png"):
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    (tmp_path / "elsewhere").mkdir()
    for name in ("ratings", "others"):
        (tmp_path / f"elsewhere/{name}.csv").write_text("image,mos\na b.png,1\nc.png,2\n")
    monkeypatch.chdir(tmp_path)
    table = "csv:elsewhere/ratings.csv?root=.&low=1&high=5"
    done = run(spec(dataset=table, others=[table.replace("ratings", "others")]), profile)
    assert len(read_record(done.folder)[1]["rows"]) == 4


@pytest.mark.parametrize("damage", ["cut", "missing", "edited", "empty"])
def test_a_damaged_record_is_made_again(project, profile, in_this_process, damage):
    folder = run(spec(), profile).folder
    table, about = folder / "rows.parquet", folder / "record.json"
    if damage == "missing":
        table.unlink()
    elif damage == "cut":
        table.write_bytes(table.read_bytes()[:40])
    else:
        text = about.read_text().replace('"device": "cpu"', '"device": "gpu"')
        about.write_text(text if damage == "edited" else "")
    with pytest.raises(UserError, match="make it again: iqa run toy --profile"):
        read_record(folder)
    assert run(spec(), profile).fresh
    assert len(read_record(folder)[1]["rows"]) == 3


def test_a_folder_that_holds_something_else_is_not_replaced(project, profile):
    other = project / profile.folder / profile.runs[0].label
    other.mkdir(parents=True)
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds no run: move it away"):
        run(profile.runs[0], profile)
    assert (other / "thesis.tex").read_text() == "years of work"


def test_an_unknown_parameter_starts_nothing(project, profile):
    with pytest.raises(UserError, match="unknown parameter"):
        run(spec(epohcs=5), profile)
    assert not (project / "runs").exists()


def test_where_a_run_keeps_its_record_is_no_parameter(project, profile):
    with pytest.raises(UserError, match="`record_to` is chosen by the run itself"):
        run(spec(record_to="elsewhere"), profile)


def test_a_notebook_that_could_keep_no_record_is_refused(project, profile):
    make_notebook(project / "notebooks" / "toy.ipynb", parameters="epochs = 3")
    with pytest.raises(UserError, match="declare `record_to"):
        run(spec(), profile)


def test_an_unknown_experiment_lists_the_notebooks(project, profile):
    with pytest.raises(UserError, match="unknown experiment 'nose': choose one of toy"):
        run(RunSpec(experiment="nose"), profile)
