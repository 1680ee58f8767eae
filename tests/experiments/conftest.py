from unittest import mock

import in_process
import nbformat
import pytest

from iqa.experiments import Profile, driver
from iqa.features import engine

PARAMETERS = "epochs = 3\nrate = 1e-3\nheads = ['relu']\nrecord_to = ''"
WORK = """
from iqa.experiments.record import DatasetUsed, Record, write_record
import pandas as pd
used = DatasetUsed(name="toy", title="Toy", score_kind="MOS", images=1, groups=1, fingerprint="f")
record = Record(
    experiment="toy", parameters={"epochs": epochs}, datasets=[used], version="0", libraries={},
    device="cpu", seconds=1.0,
)
write_record(record_to, record, {"rows": pd.DataFrame({"epoch": range(epochs)})})
"""


def make_notebook(path, parameters=PARAMETERS, work=WORK, tags=("parameters",)):
    cell = nbformat.v4.new_code_cell(parameters, metadata={"tags": list(tags)})
    book = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell(work)])
    book.metadata["language_info"] = {"name": "python"}
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project apart with one small notebook, `toy`."""
    make_notebook(tmp_path / "notebooks" / "toy.ipynb")
    for module in ("driver", "planning", "profile"):
        monkeypatch.setattr(f"iqa.experiments.{module}.project_root", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def profile():
    return Profile(name="p", title="P", folder="runs", runs=[{"experiment": "toy"}])


def without_kernel():
    """Notebooks run in this process: a kernel imports all again for each."""
    return mock.patch.object(driver, "_execute", in_process.execute)


@pytest.fixture
def in_this_process(monkeypatch):
    # A network of 64 px runs by PyTorch in less time than OpenVINO takes to convert it.
    monkeypatch.setattr(engine, "openvino_engine", lambda network, *_: engine.torch_engine(network))
    with without_kernel():
        yield
