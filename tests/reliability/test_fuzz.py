"""Whatever a user types or puts into a table, the command line ends in order and in few words."""

import io
import os
import signal
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from iqa.cli import app
from iqa.cli.faults import status_of

pytestmark = pytest.mark.slow
BOUNDED = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with images of several kinds and what only looks like one."""
    rng = np.random.default_rng(8)
    for name in ("a.png", "b.jpg", "é.png", "NA"):
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name, "PNG")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("IQA_DATA", raising=False)
    handlers = {number: signal.getsignal(number) for number in (1, signal.SIGINT, signal.SIGTERM)}
    # The network's output matters to none of this, and it takes long.
    engine = lambda network, size: lambda images: images.mean((1, 2), dtype=np.float32)  # noqa: E731
    monkeypatch.setattr("iqa.features.engine.fastest_engine", engine)
    with warnings.catch_warnings():
        yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ends_in_order(*words):
    """Run `iqa` with these words: nothing is raised, and errors are one line each.

    What was left out of the images, and how many had no score, are lines of their own.
    """
    out, err = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", ["iqa", *words]), redirect_stdout(out), redirect_stderr(err):
        status = status_of(app)
    assert status in (0, 1, 2)
    if status < 2:
        for line in err.getvalue().splitlines():
            told = line.startswith(("error: ", "note: ", "skipped: "))
            assert told or line.endswith(" images could not be scored"), line
        assert status or "error:" not in err.getvalue()
    return status


names = st.sampled_from(
    ["a.png", "b.jpg", "b.JPG", "é.png", "e\u0301.png", "NA", "text.png", "sub", "gone.png", "",
     " ", "./a.png", "sub/../a.png", "/dev/zero", "/", "..", "x" * 300, "x/" * 2500, "a\0b",
     "\ud800", "~", "-"]
)  # fmt: skip
scores = st.sampled_from(
    ["1", "2.5", " 3 ", "-1", "nan", "inf", "-inf", "1e400", "9" * 400, "NA", "", "x", "1,5", "٣",
     "True"]
)  # fmt: skip
columns = st.sampled_from(
    ["image", "Image Name", "mos", "score", "DMOS", "scene", "set", "", "weight", "mos", "é",
     "\ufeff"]
)  # fmt: skip
words = st.text(st.characters(exclude_characters="\0"), max_size=12)
cells = names | scores | words | st.sampled_from(["train", "val", "test", '"', "'", "=1+1"])


@st.composite
def tables(draw):
    """Bytes that are a table, or nearly one."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    header = draw(st.lists(columns, max_size=5)) or ["image", "mos"]
    kinds = [
        names if "im" in column.lower() else scores if "o" in column else cells for column in header
    ]
    rows = [[draw(kind) for kind in kinds] for _ in range(draw(st.integers(0, 5)))]
    ends = draw(st.sampled_from(["", ",", ",,", ",x"]))
    lines = [draw(st.sampled_from([",", ";", "\t"])).join(row) + ends for row in [header, *rows]]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    return text.encode(
        draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"])), "surrogatepass"
    )


option = st.sampled_from(
    [
        "image",
        "score",
        "group",
        "split",
        "low",
        "high",
        "better",
        "root",
        "val",
        "test",
        "weight",
        "",
    ]
)
value = (
    names | scores | columns | words | st.sampled_from(["lower", "t.csv", "%", "%zz", "a+b", "&"])
)
queries = st.lists(st.tuples(option, value), max_size=3).map(
    lambda pairs: "?" + "&".join("=".join(pair) for pair in pairs) if pairs else ""
)


def typed(text):
    """What a shell can hand over: bytes without a zero."""
    return os.fsdecode(text.replace("\0", "").encode("utf-8", "surrogatepass"))


@BOUNDED
@given(table=tables(), query=queries)
def test_tables(table, query, folder):
    (folder / "t.csv").write_bytes(table)
    checked = ends_in_order("datasets", "check", typed(f"csv:t.csv{query}"))
    made = ends_in_order("features", typed(f"csv:t.csv{query}"), "resnet/tiny", "--weights", "none")
    # Features are made of what the check finds whole; it also minds what features do not.
    assert made <= checked


numbers = st.sampled_from(["0", "-1", "1", "31", "32", "64", "65", "1e9", "9" * 30, "nan", "", "x"])
anything = words | names | numbers | st.sampled_from(
    ["--help", "--", "-1", "--input-size", "--weights", "none", "--set", "a=b", "=", "--profile",
     "--skip-absent", "--format", "csv", "csv:", "csv:?", "zero-shot:", "authors:", "authors:sub",
     "a.safetensors", "resnet/tiny", "demo2", "clive", "[", "(", "*.gif", "**"]
)  # fmt: skip
commands = st.sampled_from(
    [["backbones"], ["datasets"], ["datasets", "check"], ["datasets", "fetch"], ["features"],
     ["features", "csv:t.csv"], ["features", "csv:t.csv", "resnet/tiny", "--weights", "none"],
     ["features", "csv:t.csv", "resnet/tiny", "--weights", "none", "--input-size"],
     ["run", "no-such-run"], ["run", "activations", "--set"], ["run", "activations", "--profile"],
     ["score", "--model", "none-such"], ["score", "gone.png", "--format"],
     ["score", "a.png", "--model"], ["export", "none-such"], ["export", "a.png", "out.onnx"], []]
)  # fmt: skip


@BOUNDED
@given(command=commands, more=st.lists(anything, max_size=4))
def test_words(command, more, folder):
    (folder / "t.csv").write_text("image,mos\na.png,1\nb.jpg,2\n")
    ends_in_order(*command, *map(typed, more))
