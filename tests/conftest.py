import os
import signal
import subprocess
import sys
import warnings
from contextlib import nullcontext

import pytest

from iqa.cli import app, faults

LONGEST = (
    "test_workflow",
    "test_kills",
    "test_processes",
    "test_resume",
    "test_site",
    "test_driver",
)


def pytest_collection_modifyitems(items):
    """The longest first, so that no core waits for the last of them."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(autouse=True, scope="session")
def signals_of_a_terminal():
    """Under `nohup`, or behind `&`, signals are ignored, here and in what is started from here."""
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Tests make what they need once; they neither use nor fill the user's cache."""
    base = tmp_path_factory.getbasetemp()
    # The workers of pytest-xdist have folders of their own in one that they share.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["IQA_CACHE"] = str(shared / "cache")


@pytest.fixture
def iqa(monkeypatch, capfd):
    """The command `iqa`, in this process: a new one would import PyTorch each time."""
    monkeypatch.setattr(faults, "_signals_caught", nullcontext)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["iqa", *words])
        with warnings.catch_warnings():
            status = faults.status_of(app)
        return subprocess.CompletedProcess(words, status, *capfd.readouterr())

    return call
