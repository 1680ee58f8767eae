import dataclasses
import hashlib
import io
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from iqa.datasets import ENTRIES, check, load, registry
from iqa.datasets.benchmarks import BENCHMARKS
from iqa.datasets.download import download
from iqa.datasets.fetch import fetch
from iqa.datasets.unpack import DAMAGE, unpack
from iqa.errors import UserError

BY_NAME = {benchmark.info.name: benchmark for benchmark in BENCHMARKS}
BODY = np.random.default_rng(8).bytes(700_000)
HALF = len(BODY) // 2


class Handler(BaseHTTPRequestHandler):
    """Serves `site.files` with ranges, and misbehaves as `site` says."""

    site = None

    def do_GET(self):
        site = self.site
        body = site.files.get(self.path.rsplit("/", 1)[-1])
        asked = self.headers.get("Range")
        site.asked.append(asked)
        if body is None or site.status:
            self.send_error(site.status or 404)
            return
        start = 0
        if asked and site.ranges and self.headers.get("If-Range") == site.mark.get("ETag"):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        for name, value in site.mark.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[start : site.cut])
        self.wfile.flush()
        site.hold.wait(20)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    """A server of `files`; `cut` drops the connection after so many bytes of a file."""
    site = SimpleNamespace(
        files={"body.bin": BODY},
        asked=[],
        status=None,
        ranges=True,
        mark={"ETag": '"one"'},
        cut=None,
        hold=threading.Event(),
    )
    site.hold.set()
    handler = type("Handler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.address = f"http://127.0.0.1:{server.server_address[1]}/archives"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield site
        site.hold.set()
        server.shutdown()


@pytest.fixture
def cut_off(site, tmp_path):
    """A download whose connection was dropped halfway."""
    part = tmp_path / "body.bin.part"
    site.cut = HALF
    with pytest.raises(UserError, match=r"lost halfway; 0\.\d MB are kept in .*run the command"):
        download(f"{site.address}/body.bin", part)
    site.cut = None
    return part


def test_a_dropped_connection_is_taken_up_where_it_stopped(site, cut_off):
    have = cut_off.stat().st_size
    assert 0 < have <= HALF
    download(f"{site.address}/body.bin", cut_off)
    assert cut_off.read_bytes() == BODY
    assert site.asked == [None, f"bytes={have}-"]


def test_a_killed_download_is_taken_up_where_it_stopped(site, tmp_path):
    part = tmp_path / "body.bin.part"
    site.cut = HALF
    site.hold.clear()
    code = (
        "from pathlib import Path; from iqa.datasets.download import download; "
        f"download({f'{site.address}/body.bin'!r}, Path({str(part)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    waited = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < waited:
        time.sleep(0.02)
    process.kill()
    process.wait()
    have = part.stat().st_size
    assert 0 < have <= HALF
    site.cut = None
    site.hold.set()
    download(f"{site.address}/body.bin", part)
    assert part.read_bytes() == BODY
    assert site.asked[-1] == f"bytes={have}-"


def test_what_is_whole_already_is_not_sent_again(site, tmp_path):
    part = tmp_path / "body.bin.part"
    for _ in range(2):
        download(f"{site.address}/body.bin", part)
        assert part.read_bytes() == BODY
    assert site.asked == [None, f"bytes={len(BODY)}-"]


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": False},
        {"mark": {"ETag": '"two"'}, "files": {"body.bin": BODY[::-1]}},
        {"mark": {"ETag": '"two"'}, "files": {"body.bin": BODY[:100]}},
        {"mark": {}, "files": {"body.bin": BODY[::-1]}},
    ],
    ids=["no ranges", "changed", "changed and shorter", "changed and without a mark"],
)
def test_two_versions_are_never_put_together(change, site, cut_off):
    vars(site).update(change)
    download(f"{site.address}/body.bin", cut_off)
    assert cut_off.read_bytes() == site.files["body.bin"]


@pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"weak"'}], ids=["none", "weak"])
def test_without_a_sure_mark_a_download_begins_anew(mark, site, tmp_path):
    vars(site).update(mark=mark, cut=HALF)
    part = tmp_path / "body.bin.part"
    with pytest.raises(UserError, match=r"lost halfway; run the command again$"):
        download(f"{site.address}/body.bin", part)
    site.cut = None
    download(f"{site.address}/body.bin", part)
    assert part.read_bytes() == BODY
    assert site.asked == [None, None]


def test_a_date_will_do_as_a_mark(site, tmp_path):
    part = tmp_path / "body.bin.part"
    date = "Wed, 21 Oct 2020 07:28:00 GMT"
    site.mark = {"ETag": 'W/"weak"', "Last-Modified": date}
    download(f"{site.address}/body.bin", part)
    assert (tmp_path / "body.bin.part.tag").read_text() == date


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_one_line(status, site, tmp_path):
    site.status = status
    with pytest.raises(UserError, match=f"body.bin: the server answered {status} ") as caught:
        download(f"{site.address}/body.bin", tmp_path / "part")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_no_network_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"reached \(are you online\?\); run the command") as c:
        download("http://127.0.0.1:9/body.bin", tmp_path / "part")
    assert "\n" not in str(c.value)


def test_a_full_disk_is_told_before_and_while_writing(site, tmp_path, monkeypatch):
    part = tmp_path / "body.bin.part"
    usage = "iqa.datasets.download.shutil.disk_usage"
    monkeypatch.setattr(usage, lambda _: SimpleNamespace(free=5000))
    with pytest.raises(UserError, match="has 0 MB free, the download needs 1 MB; make room"):
        download(f"{site.address}/body.bin", part)
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"/dev/full cannot be written \(No space left on device\)"):
        download(f"{site.address}/body.bin", type(part)("/dev/full"))


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def picture(seed):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


NAMES = ["1.png", "2.png", "3.png"]
SCORES = pd.DataFrame({"image_name": NAMES, "MOS": [1.5, 3, 4], "MOS_zscore": [10.5, 50, 88]})
SETS = pd.DataFrame({"image_name": NAMES, "set": ["training", "validation", "test"]})
VERSIONS = ["I01_01_01.png", "I01_25_05.png", "I02_01_01.png"]
DMOS = pd.DataFrame({"dist_img": VERSIONS, "ref_img": "-", "dmos": [4.57, 1, 4.93], "var": 1})
PUBLISHED = {
    "koniq10k_distributions_sets.csv": SETS.to_csv(index=False).encode(),
    "koniq10k_scores_and_distributions.zip": zipped(
        {"koniq10k_scores_and_distributions.csv": SCORES.to_csv(index=False)}
    ),
    "koniq10k_512x384.zip": zipped({f"512x384/{n}": picture(i) for i, n in enumerate(NAMES)}),
    "koniq10k_1024x768.zip": zipped({f"1024x768/{n}": picture(i) for i, n in enumerate(NAMES)}),
    "kadid10k.zip": zipped(
        {"kadid10k/": "", "kadid10k/dmos.csv": DMOS.to_csv(index=False), "__MACOSX/kadid10k/._": ""}
        | {f"kadid10k/images/{n}": picture(i) for i, n in enumerate(VERSIONS)}
    ),
}


@pytest.fixture
def owner(site, tmp_path, monkeypatch):
    """A server with miniatures of what is published, and benchmarks that expect them there."""
    monkeypatch.setenv("IQA_DATA", str(tmp_path / "data"))
    site.files = dict(PUBLISHED)
    for name in ("koniq10k", "koniq10k/512x384", "kadid10k"):
        archives = tuple(
            dataclasses.replace(a, address=f"{site.address}/{a.address.rsplit('/', 1)[-1]}")
            for a in BY_NAME[name].archives
        )
        small = dataclasses.replace(BY_NAME[name], table_rows=3, archives=archives)
        entry = dataclasses.replace(registry._benchmark(small), facts=None)
        monkeypatch.setitem(registry.ENTRIES, name, entry)
    return site


@pytest.mark.parametrize("name", ["koniq10k", "koniq10k/512x384", "kadid10k"])
def test_what_is_fetched_is_read(name, owner, tmp_path):
    done = list(fetch(name))
    for got in done:
        content = PUBLISHED[got.address.rsplit("/", 1)[-1]]
        digest = hashlib.sha256(content).hexdigest()
        assert (got.size, got.version) == (len(content), f"sha256 {digest}")
    table = load(name).table
    assert len(table) == 3
    assert check(name).faults == ()
    if name.startswith("koniq10k"):
        assert table["split"].tolist() == ["train", "val", "test"]
        assert table["MOS"].tolist() == [1.5, 3, 4]
    assert not [path for path in (tmp_path / "data").iterdir() if path.is_file()]

    asked = len(owner.asked)
    assert [got.version for got in fetch(name)] == [""] * len(done)
    assert len(owner.asked) == asked


def test_a_fetch_that_was_cut_off_goes_on(owner, monkeypatch):
    monkeypatch.setattr("iqa.datasets.download.PIECE", 50)
    owner.cut = len(PUBLISHED["kadid10k.zip"]) // 2
    with pytest.raises(UserError, match="lost halfway"):
        list(fetch("kadid10k"))
    assert ENTRIES["kadid10k"].files() == "not found"
    owner.cut = None
    list(fetch("kadid10k"))
    assert owner.asked[-1].startswith("bytes=")
    assert check("kadid10k").faults == ()


@pytest.mark.parametrize(
    "damaged",
    [
        PUBLISHED["kadid10k.zip"][:-40],
        PUBLISHED["kadid10k.zip"].replace(b"IDAT", b"IDAX"),
        b"<html>",
    ],
    ids=["cut short", "other bytes", "a page"],
)
def test_a_damaged_zip_is_deleted_and_told(damaged, owner, tmp_path):
    owner.files["kadid10k.zip"] = damaged
    with pytest.raises(UserError, match=r"damaged zip \(.*\) and was deleted; run the command"):
        list(fetch("kadid10k"))
    assert list((tmp_path / "data").iterdir()) == []


def test_a_disk_too_small_for_the_images_keeps_the_download(owner, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=10)
    monkeypatch.setattr("iqa.datasets.unpack.shutil.disk_usage", lambda _: usage)
    monkeypatch.setattr("iqa.datasets.download._check_room", lambda *_: None)
    with pytest.raises(UserError, match="kadid10k needs 0 MB unpacked; make room"):
        list(fetch("kadid10k"))
    monkeypatch.undo()
    monkeypatch.setenv("IQA_DATA", str(tmp_path / "data"))
    assert (tmp_path / "data/kadid10k.zip.part").read_bytes() == PUBLISHED["kadid10k.zip"]


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "set/../../evil.txt", "..\\evil.txt", "C:evil.txt"]
)
def test_a_zip_that_points_out_of_its_folder_is_refused(name, tmp_path):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"set/good.txt": "x", name: "x"}))
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match="points out of the folder"):
        unpack(archive, tmp_path / "in" / "set")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_an_encrypted_zip_is_refused(tmp_path):
    content = bytearray(zipped({"set/a.txt": "x"}))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flags in both headers
        content[content.index(mark) + place] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"'set/a\.txt' is encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "set")


@pytest.mark.parametrize("names", [["set/a", "set/a/b"], ["set/" + "x" * 300], ["set/a", "set/a/"]])
def test_names_that_no_folder_can_hold_are_damage_or_nothing(names, tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped(dict.fromkeys(names, "x")))
    with suppress(*DAMAGE):
        unpack(tmp_path / "a.zip", tmp_path / "set")
    assert sorted(path.name for path in tmp_path.iterdir())[0] == "a.zip"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4))
def test_bytes_changed_anywhere_in_a_zip_are_damage_or_refused(changes):
    content = bytearray(PUBLISHED["kadid10k.zip"])
    for place, mask in changes:
        content[-1 - place % len(content)] ^= mask
    with TemporaryDirectory() as folder:
        archive, target = Path(folder, "a.zip"), Path(folder, "in", "kadid10k")
        archive.write_bytes(content)
        with suppress(UserError, *DAMAGE):
            unpack(archive, target)
        assert {path.name for path in Path(folder).iterdir()} <= {"a.zip", "in"}


def test_a_zip_of_another_layout_says_what_it_holds(tmp_path):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"other/1.png": "x", "readme": "x"}))
    with pytest.raises(UserError, match=r"holds no set \(it holds: other, readme\); .* by hand"):
        unpack(archive, tmp_path / "set")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("clive", "`clive` has no direct address to fetch: ask at https://live.ece.utexas.edu"),
        ("demo", "made on first use"),
        ("nosuch", "unknown dataset 'nosuch'"),
    ],
)
def test_what_cannot_be_fetched_says_where_it_is(name, said):
    with pytest.raises(UserError, match=said):
        list(fetch(name))


def test_the_data_root_must_be_known_and_writable(monkeypatch, tmp_path):
    monkeypatch.delenv("IQA_DATA", raising=False)
    with pytest.raises(UserError, match="IQA_DATA is not set; set it to the folder"):
        list(fetch("kadid10k"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("IQA_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"file cannot be made \(.*\); let IQA_DATA name a folder"):
        list(fetch("kadid10k"))
