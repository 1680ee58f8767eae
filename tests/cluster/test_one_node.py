"""The workflow on a SLURM of one node; see the script."""

import subprocess
from pathlib import Path

import pytest


@pytest.mark.cluster
def test_runs_go_through_slurm():
    script = Path(__file__).with_name("one_node.sh")
    done = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 runs recorded, 1 skipped, 1 failed and told" in done.stdout
