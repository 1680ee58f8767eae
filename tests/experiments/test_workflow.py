"""The workflow on small notebooks: what it checks first, skips, tells as failed and takes up."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PARAMETERS, WORK, make_notebook

from iqa.files import project_root

TOY = f"{PARAMETERS}\ndataset = 'demo_mini'"
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
    """A copy of the workflow and the package with other notebooks."""
    shutil.copy(project_root() / "Snakefile", tmp_path)
    (tmp_path / "results").mkdir()
    shutil.copy(project_root() / "results/plan.yaml", tmp_path / "results")
    shutil.copytree(project_root() / "profiles/default", tmp_path / "profiles/default")
    shutil.copytree(project_root() / "iqa", tmp_path / "iqa")
    (tmp_path / "profiles/p.yaml").write_text(PROFILE)
    make_notebook(tmp_path / "notebooks/toy.ipynb", TOY)
    make_notebook(tmp_path / "notebooks/broken.ipynb", TOY, work="raise ValueError('no')")
    return tmp_path


def start_snakemake(tree, *words, data="none"):
    """Snakemake in a new process group, as a terminal starts it."""
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    changed = {"PATH": scripts, "PYTHONPATH": str(tree), "IQA_DATA": str(tree / data)}
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--config", "profile=p", *words],
        cwd=tree,
        env=os.environ | changed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def snakemake(tree, *words, data="none"):
    process = start_snakemake(tree, *words, data=data)
    said = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, *said)


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_after_a_kill_one_fails_one_is_skipped_and_the_rest_goes_on(tree):
    broken = tree / "notebooks/broken.ipynb"
    work = broken.read_text()
    make_notebook(broken, TOY, "import time\ntime.sleep(60)")
    killed = start_snakemake(tree, "--", "build/stamps/p/runs/broken")
    wait_until(lambda: (tree / "runs/broken.log").exists())
    busy = snakemake(tree)
    assert busy.stderr.endswith(
        "error: another snakemake runs in this folder: wait for it, or stop it first\n"
    )
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    # The next call goes on by itself.
    broken.write_text(work)
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
    make_notebook(broken, PARAMETERS, WORK)
    again = snakemake(tree, "--keep-going", data="data")
    assert again.returncode == 1
    assert "cannot be read" in (tree / "runs/absent.log").read_text()
    assert (tree / "runs/broken/record.json").is_file()
    assert not (tree / "runs/broken.failed.ipynb").exists()
    assert "rule run" in again.stderr
    assert "run=toy" not in again.stderr
    assert not [p for p in (tree / "runs").iterdir() if p.name.startswith(".")]


def test_a_faulty_profile_is_one_line_before_anything_runs(tree):
    (tree / "profiles/p.yaml").write_text(PROFILE.replace("dataset: clive", "epohcs: 3"))
    done = snakemake(tree)
    assert done.returncode == 1
    said = "error: profile p, run absent: unknown parameter of toy.ipynb 'epohcs': choose one of "
    *_, last = done.stderr.splitlines()
    assert last.startswith(said)
    assert "Traceback" not in done.stderr
    assert not (tree / "runs").exists()
