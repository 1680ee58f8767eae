"""Pages that are executed, pages of records, and a site that is put together from both."""

import json
import pkgutil
import re

import nbformat
import pandas as pd
import pytest
import yaml
from PIL import Image

from iqa.errors import UserError
from iqa.experiments.profile import read_profile
from iqa.experiments.record import DatasetUsed, Record, write_record
from iqa.files import project_root
from iqa.report import claims, demo_photographs, pages, records, site

PAGE = """---
jupytext:
  text_representation: {{extension: .md, format_name: myst}}
kernelspec: {{name: python3, display_name: Python 3}}
---
# Is it so?

```{{code-cell}} python
{code}
```

More words.
"""


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Executes a page of one cell, and gives its cells; without the plan's answers, for speed."""
    monkeypatch.setattr(claims, "plan_answers", lambda: None)

    def execute(code):
        page = tmp_path / "page.md"
        page.write_text(PAGE.format(code=code))
        pages.main(str(tmp_path / "out"), str(page))
        return nbformat.read(tmp_path / "out/page.ipynb", as_version=4).cells

    return execute


def test_a_page_is_executed_where_the_project_is(executed):
    cells = executed("from pathlib import Path\nprint(Path.cwd())")
    assert cells[1].outputs[0].text == f"{project_root()}\n"


def test_warnings_that_name_paths_of_the_machine_are_left_out(executed):
    cells = executed("import sys\nprint('/home/me', file=sys.stderr)\nprint('shown')")
    assert [one.text for one in cells[1].outputs] == ["shown\n"]


def test_a_page_without_its_record_says_what_is_missing_and_how_to_make_it(executed):
    code = "from iqa.report.records import run\nrun('nothing')"
    title, cell, rest = executed(code)
    assert title.source.startswith("# Is it so?")
    assert "the record nothing is missing: iqa run nothing --profile long" in cell.source
    assert rest.source == "More words."


def test_what_needs_a_missing_record_goes_and_the_rest_of_the_page_stays(executed):
    code = """from iqa.report.records import run
found = run('nothing')
```

```{code-cell} python
print(found)
```

```{code-cell} python
run('nothing')
```

```{code-cell} python
print('independent')"""
    _, missing, independent, words = executed(code)
    assert "the record nothing is missing" in missing.source
    assert independent.outputs[0].text == "independent\n"
    assert words.source == "More words."


def test_a_name_that_no_missing_record_explains_is_an_error(executed):
    with pytest.raises(NameError, match="found"):
        executed("print(found)")


@pytest.mark.parametrize("damage", ["{", '{"schema_version": 1}'])
def test_a_damaged_record_is_told_in_a_sentence_with_its_command(record, damage):
    (record / "record.json").write_text(damage)
    said = "the record toy is damaged or of a former layout: iqa run toy --profile long"
    with pytest.raises(UserError, match=said):
        records.run("toy")


def test_pages_read_records_by_the_one_way_that_says_what_is_missing():
    for page in (project_root() / "book").glob("*.md"):
        cells = re.findall(r"```\{code-cell\} python\n(.*?)```", page.read_text(), re.S)
        assert not any("results/runs" in cell for cell in cells), page.name


def test_a_missing_record_of_the_demo_names_the_profile_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "project_root", lambda: tmp_path)
    with pytest.raises(UserError, match="iqa run dropout --profile demo-full"):
        records.run("dropout", "build/runs/demo-full")
    with pytest.raises(UserError, match=r"iqa run leakage --profile demo$"):
        records.run("leakage", records.DEMO)


def test_another_fault_of_a_page_is_an_error(executed, tmp_path):
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        executed("1 / 0")
    assert not (tmp_path / "out/page.ipynb").exists()


def written(folder, kind):
    """A record of a run in `folder`, on a set with scores of this kind."""
    used = DatasetUsed(
        name="clive", title="CLIVE", score_kind=kind, images=2, groups=2, fingerprint="f"
    )
    made = Record(
        experiment="toy",
        parameters={"epochs": 3},
        datasets=[used],
        version="0",
        libraries={"torch": "2"},
        device="cpu",
        seconds=1.5,
    )
    write_record(folder, made, {"rows": pd.DataFrame({"x": [1, 2]})})
    return folder


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A project with one record, `toy`, in place of the committed ones."""
    folder = written(tmp_path / records.COMMITTED / "toy", "MOS")
    for module in (records, site):
        monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    return folder


def test_the_page_of_a_record_names_its_command_data_and_downloads(record, tmp_path):
    text = site.record_page(records.run("toy"), tmp_path / "static")
    assert "iqa run toy --profile long\n" in text
    assert "It cannot be made any more: unknown experiment of profile long 'toy'" in text
    assert "CLIVE: 2 images of 2 contents (MOS), fingerprint f" in text
    assert "epochs: 3" in text
    for name in ("rows.csv", "rows.parquet", "record.json"):
        assert (tmp_path / "static/records/toy" / name).is_file()
        assert f"_static/records/toy/{name}" in text


@pytest.mark.parametrize("one", list(records.all_runs()), ids=lambda one: one.name)
def test_the_command_of_a_committed_record_finds_its_run(one):
    assert read_profile(records.profile_of(one.folder)).find(one.name)


def test_a_record_says_which_parameters_its_profile_changed_since(monkeypatch):
    one = records.run("learning_rates-clive")
    kept = site._repeated(one)
    assert "`git log -1 -- results/runs/cpu/learning_rates-clive`" in kept
    assert "changed since" not in kept
    other = one.record.model_copy(update={"parameters": one.record.parameters | {"epochs": 2}})
    changed = site._repeated(records.Run(one.folder, other))
    assert "The profile has changed since (`epochs`)" in changed


def test_a_record_of_the_demo_is_marked_and_has_a_page_beside_a_committed_one_of_its_name(
    record, tmp_path
):
    written(tmp_path / records.DEMO / "toy", "pseudo-MOS")
    people, demo = records.run("toy"), records.run("toy", records.DEMO)
    text = site.record_page(demo, tmp_path / "static", "notebook-toy.ipynb")
    assert "# Record toy (demo, pseudo-MOS)" in text
    assert "[executed on the demo](notebook-toy.ipynb)" in text
    assert "iqa run toy --profile demo\n" in text
    assert "pseudo-MOS" not in site.record_page(people, tmp_path / "static")
    page = tmp_path / "records.md"
    page.write_text("% records of ratings\n## Demo\n% records of the demo\n")
    of_people, of_demo = site.records_page(page, [people, demo]).split("## Demo")
    assert "record-toy.html" in of_people
    assert "record-demo-toy.html" in of_demo


def test_a_notebook_stays_whole_when_a_link_in_it_goes(tmp_path):
    page = tmp_path / "gate.ipynb"
    page.write_text(json.dumps({"cells": [{"source": ["See ", "[it](notebook-gate.ipynb)."]}]}))
    site._link(tmp_path, ["gate"], {})
    assert json.loads(page.read_text()) == {"cells": [{"source": ["See ", "."]}]}


def test_a_link_to_a_notebook_that_was_not_run_goes(tmp_path):
    page = tmp_path / "gate.md"
    page.write_text(
        "[The notebook](notebook-gate.ipynb)\n[Other](notebook-loss.ipynb) [L](loss.md)\n"
    )
    site._link(tmp_path, ["loss"], {"gate": "notebook-gate.ipynb"})
    assert page.read_text() == "[The notebook](notebook-gate.ipynb)\n [L](loss.ipynb)\n"


def test_a_damaged_record_is_named_where_all_records_are_listed(record, tmp_path):
    fields = json.loads((record / "record.json").read_text()) | {"schema_version": 1}
    (record / "record.json").write_text(json.dumps(fields))
    assert list(records.all_runs()) == []
    page = tmp_path / "records.md"
    page.write_text("# Records\n\n% records of ratings\n")
    assert "the record toy is damaged or of a former layout" in site.records_page(page, [])
    page.write_text("% records of the demo\n")
    assert site.records_page(page, []) == "This site was built without them.\n"
    with pytest.raises(UserError, match="no record of toy is there"):
        records.runs_of("toy")


def test_every_page_of_the_book_is_in_its_contents():
    book = project_root() / "book"
    contents = yaml.safe_load((book / "_toc.yml").read_text())
    named = {c["file"] for part in contents["parts"] for c in part["chapters"]} | {"index"}
    assert named == {path.stem for path in book.glob("*.md")}


def test_what_no_page_uses_is_removed(tmp_path):
    for name in ("_static/a.js.map", "_static/a.js", "_sources/index.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    site.prune(tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.js"]


def test_pictures_become_small_and_pages_name_them(tmp_path):
    (tmp_path / "_images").mkdir()
    Image.new("RGBA", (40, 20), "red").save(tmp_path / "_images/a.b.png")
    (tmp_path / "page.html").write_text('<a href="_images/a.b.png"><img src="_images/a.b.png"></a>')
    site.prune(tmp_path)
    assert [p.name for p in (tmp_path / "_images").iterdir()] == ["a.b.webp"]
    with Image.open(tmp_path / "_images/a.b.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (40, 20))
    named = '<a href="_images/a.b.webp"><img src="_images/a.b.webp"></a>'
    assert (tmp_path / "page.html").read_text() == named


def test_pictures_inside_a_page_become_files_and_folders_without_one_go(tmp_path):
    (tmp_path / "empty/too").mkdir(parents=True)
    page = tmp_path / "page.html"
    page.write_text(
        '<img src="data:image/webp;base64,AAEC"><img src="data:image/webp;base64,AAEC">'
    )
    site.prune(tmp_path)
    (picture,) = (tmp_path / "_images").iterdir()
    assert picture.read_bytes() == bytes([0, 1, 2])
    assert page.read_text() == f'<img src="_images/{picture.name}">' * 2
    assert not (tmp_path / "empty").exists()


def test_the_worked_examples_of_the_page_for_users_run(tmp_path):
    pages.execute(project_root() / "book/use.md", tmp_path / "use.ipynb")
    cells = nbformat.read(tmp_path / "use.ipynb", as_version=4).cells
    shown = [
        c.outputs[-1]["data"]["text/plain"]
        for c in cells
        if c.get("outputs") and "data" in c.outputs[-1]
    ]
    assert "torch.Size([8])" in shown
    assert any("better" in text for text in shown)


def test_all_that_the_api_page_names_is_there():
    names = re.findall(
        r"auto(?:class|function):: (\S+)(?:\n +:members: (.+))?",
        (project_root() / "book/api.md").read_text(),
    )
    assert len(names) > 20
    for name, members in names:
        found = pkgutil.resolve_name(name)
        for member in filter(None, members.split(", ")):
            assert hasattr(found, member), f"{name}.{member}"


@pytest.mark.slow
def test_blur_compression_and_noise_lower_scores_most_as_the_gallery_says():
    page = (project_root() / "book/gallery.md").read_text()
    photographs = re.findall(r'"(\w+)"', re.search(r"photographs = \[(.*?)\]", page)[1])
    means = demo_photographs.versions(*photographs).groupby(["family", "distortion", "level"])
    wide = means["model"].mean().unstack()
    wide[0] = demo_photographs.undistorted(*photographs)["model"].mean()
    falls = wide[0] - wide[5]
    assert falls.loc[["blur", "compression", "noise"]].min() > 18
    assert falls.loc[["brightness", "colour"]].max() < 13
    raised = falls.index[falls < 0].get_level_values("distortion")
    assert set(raised) == {"oversharpening", "colour-quantization"}
    by_name = falls.droplevel("family")
    assert by_name[raised].min() > -15
    most = {"motion-blur", "lens-blur", "gaussian-blur", "denoising", "jpeg2000"}
    assert set(by_name.nlargest(5).index) == most
    assert (
        wide.loc[("spatial", "pixelation"), 3] < wide.loc[("spatial", "pixelation"), [0, 5]].min()
    )


def test_what_the_table_of_defects_calls_its_tests_is_there():
    defects = pd.read_csv(project_root() / "results/literature/defects.csv")
    for place in defects["shown_by"].dropna():
        path, _, name = place.partition("::")
        assert f"def {name}(" in (project_root() / path).read_text(), place
