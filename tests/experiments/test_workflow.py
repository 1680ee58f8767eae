"""The workflow on small notebooks: what it checks first, skips, tells as failed and takes up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PARAMETERS, WORK, make_notebook

from iqa.files import project_root

PROFILE = """
title: P
folder: runs
runs:
- experiment: toy
- {experiment: toy, name: absent, parameters: {dataset: clive}}
- {experiment: broken}
"""


@pytest.fixture
def tree(tmp_path):
    """A copy of the workflow and the package with notebooks of its own."""
    shutil.copy(project_root() / "Snakefile", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project_root() / "iqa", tmp_path / "iqa", ignore=ignored)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/p.yaml").write_text(PROFILE)
    parameters = f"{PARAMETERS}\ndataset = 'demo_mini'"
    make_notebook(tmp_path / "notebooks/toy.ipynb", parameters)
    make_notebook(tmp_path / "notebooks/broken.ipynb", parameters, work="raise ValueError('no')")
    return tmp_path


def snakemake(tree, *words, data="none"):
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    changed = {"PATH": scripts, "PYTHONPATH": str(tree), "IQA_DATA": str(tree / data)}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", "profile=p", *words]
    return subprocess.run(
        command, cwd=tree, env=os.environ | changed, capture_output=True, text=True, check=False
    )


def test_one_fails_one_is_skipped_and_the_rest_goes_on(tree):
    done = snakemake(tree, "--keep-going")
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "absent: skipped: dataset `clive`: folder" in said
    assert "skipped: dataset `clive`" in (tree / "runs/absent.log").read_text()
    assert (tree / "runs/toy/record.json").is_file()
    assert (tree / "build/stamps/p/runs/toy").read_text() == ""
    assert "failed with ValueError: no" in (tree / "runs/broken.log").read_text()
    assert (tree / "runs/broken.failed.ipynb").is_file()
    assert not (tree / "runs/broken").exists()

    # With the files in their place (though empty), the skipped run is taken up, and the one that
    # failed is started again; the finished one is not.
    (tree / "data/CLIVE/ChallengeDB_release/Data").mkdir(parents=True)
    (tree / "data/CLIVE/ChallengeDB_release/Images").mkdir()
    (tree / "data/CLIVE/ChallengeDB_release/Data/AllImages_release.mat").touch()
    make_notebook(tree / "notebooks/broken.ipynb", PARAMETERS, WORK)
    again = snakemake(tree, "--keep-going", data="data")
    assert again.returncode == 1
    assert "cannot be read" in (tree / "runs/absent.log").read_text()
    assert (tree / "runs/broken/record.json").is_file()
    assert not (tree / "runs/broken.failed.ipynb").exists()
    assert "rule run" in again.stderr
    assert "run=toy" not in again.stderr


def test_a_faulty_profile_is_one_line_before_anything_runs(tree):
    (tree / "profiles/p.yaml").write_text(PROFILE.replace("dataset: clive", "epohcs: 3"))
    done = snakemake(tree)
    assert done.returncode == 1
    said = "error: profile p, run absent: unknown parameter of toy.ipynb 'epohcs': choose one of "
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert not (tree / "runs").exists()
