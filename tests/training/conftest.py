import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

SMALL = Path(__file__).with_name("small.py")


@pytest.fixture(scope="session")
def small():
    """What `small.py` defines, and the code of a process that does a job."""

    def program(job, out):
        return f"import runpy\nrunpy.run_path({str(SMALL)!r})['main']({str(job)!r}, {str(out)!r})"

    return SimpleNamespace(**runpy.run_path(str(SMALL)), program=program)


@pytest.fixture(scope="session")
def drawn(small, tmp_path_factory):
    """Ten image files and their targets."""
    return small.draw(tmp_path_factory.mktemp("images"), 10)


@pytest.fixture(scope="session")
def same():
    """Whether two state dicts agree bit by bit."""

    def check(one, other):
        return list(one) == list(other) and all(torch.equal(one[k], other[k]) for k in one)

    return check
