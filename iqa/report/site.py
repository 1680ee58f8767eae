"""Put the site together: `python -m iqa.report.site PROFILE PAGES OUT`.

The folder OUT gets the pages of book/, executed ones from PAGES, a page for each record with
its tables as CSV, and the executed notebooks; Jupyter Book builds the site from it.
`prune` removes from a built site what no page uses.
"""

import base64
import json
import os
import re
import shutil
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import vl_convert
import yaml

from iqa.errors import UserError
from iqa.experiments import check_run, read_profile
from iqa.experiments.record import read_execution
from iqa.files import fingerprint, project_root, written_whole
from iqa.images import read_rgb
from iqa.report.records import COMMITTED, Run, all_runs, profile_of, run

LARGEST = 30_000
"""Bytes of the largest file that the site holds of a record: some tables are offered as Parquet
alone, and larger ones are in the repository."""


def assemble(profile: str, pages: Path, out: Path) -> None:
    """Write into `out` what Jupyter Book builds the site from."""
    root = project_root()
    with written_whole(out) as draft:
        shutil.copytree(root / "book", draft)
        for page in pages.glob("*.ipynb"):
            (draft / f"{page.stem}.md").unlink()
            shutil.copy(page, draft)
        for name in ("CITATION.cff", "LICENSE"):
            shutil.copy(root / name, draft / "_extra")
        _add_libraries(draft / "_extra" / "lib")
        folders = (COMMITTED, read_profile(profile).folder)
        found = [one for folder in folders for one in all_runs(folder)]
        runs = list({one.label: one for one in found}.values())
        copied = {one.record.experiment: _copy_notebook(one, draft) for one in runs}
        notebooks = {experiment: name for experiment, name in copied.items() if name}
        for one in runs:
            text = record_page(one, draft / "_static", notebooks.get(one.record.experiment))
            (draft / f"record-{one.label}.md").write_text(text)
        (draft / "records.md").write_text(records_page(draft / "records.md", runs))
        _link(draft, [page.stem for page in pages.glob("*.ipynb")], notebooks)


def _link(draft: Path, executed: list[str], notebooks: dict[str, str]) -> None:
    """Links to `NAME.md` lead to the executed `NAME.ipynb`; those to notebooks not run here go."""
    pages = re.compile(rf"\]\(({'|'.join(executed)})\.md\)")
    # No bracket inside: the cells of a notebook stand in brackets, too.
    runs = re.compile(r"\[[^\[\]]*\]\(notebook-(\w+)\.ipynb\)")
    for page in [*draft.glob("*.md"), *draft.glob("*.ipynb")]:
        text = runs.sub(lambda link: link[0] if link[1] in notebooks else "", page.read_text())
        page.write_text(pages.sub(r"](\1.ipynb)", text))


def _add_libraries(folder: Path) -> None:
    """Scripts that pages load when they need them; in `_static`, every page would load them.

    Both are modules, which browsers refuse to load from a file. As functions they work there too.
    """
    import itables

    folder.mkdir()
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="6.4")
    (folder / "vega.js").write_text(f"(() => {{{bundle}}})();")
    package = Path(itables.__file__).parent / "html"
    tables = (package / "dt_bundle.js").read_text()
    tables = re.sub(r"export\{[^}]*?([\w$]+) as jQuery[^}]*\}", r"window.jQuery = \1;", tables)
    (folder / "dt_bundle.js").write_text(f"(() => {{{tables}\n}})();")
    shutil.copy(package / "dt_bundle.css", folder)


def _copy_notebook(one: Run, draft: Path) -> str:
    """The executed notebook of a run, its file's name, or "" as for committed records: none.

    It is kept out of the contents and the search.
    """
    path, name = one.folder / "notebook.ipynb", f"notebook-{one.name}.ipynb"
    if not path.exists():
        return ""
    notebook = json.loads(path.read_text())
    notebook["metadata"]["orphan"] = notebook["metadata"]["nosearch"] = True
    section = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            section = ([section, *re.findall(r"(?m)^#+ (.+)", "".join(cell["source"]))])[-1]
            continue
        # By default the name of a file. Warnings of libraries name paths of the machine.
        cell["metadata"]["mystnb"] = {"image": {"alt": f"Chart: {section}"}}
        cell["outputs"] = [one for one in cell["outputs"] if one.get("name") != "stderr"]
    (draft / name).write_text(json.dumps(notebook))
    return name


def record_page(one: Run, static: Path, notebook: str | None = None) -> str:
    """A page in Markdown: how the run was made, on what, and its tables to download.

    Args:
        one: the run.
        static: folder of the site that gets the tables.
        notebook: an executed one of this experiment, which the page links to.
    """
    record, execution = one.record, read_execution(one.folder)
    folder = static / "records" / one.label
    folder.mkdir(parents=True)
    downloads = []
    for name, mark in record.files.items():
        if (one.folder / name).stat().st_size > LARGEST:
            if one.of_people:
                place = f"{one.folder.relative_to(project_root())}/{name}"
                code = os.environ.get("SITE_REPOSITORY")
                link = f'<a href="{code}/raw/HEAD/{place}">{name}</a>, in the repository'
                where = link if code else f"{place} of the repository"
                downloads.append({"file": where, "rows": "", "fingerprint": mark})
            continue
        shutil.copy(one.folder / name, folder)
        path = f"_static/records/{one.label}/{name}"
        links = f'<a href="{path}" download>{name}</a>'
        table = pd.read_parquet(one.folder / name) if name.endswith(".parquet") else None
        text = "" if table is None else table.to_csv(index=False, float_format="%.6g")
        if 0 < len(text) <= LARGEST:
            csv = name.replace(".parquet", ".csv")
            (folder / csv).write_text(text)
            links += f', <a href="_static/records/{one.label}/{csv}" download>{csv}</a>'
        rows = "" if table is None else f"{len(table):,}"
        downloads.append({"file": links, "rows": rows, "fingerprint": mark})
    shutil.copy(one.folder / "record.json", folder)
    about = {
        "experiment": record.experiment,
        "data": "; ".join(
            f"{d.title}: {d.images:,} images of {d.groups:,} contents ({d.score_kind}), "
            f"fingerprint {d.fingerprint}"
            for d in record.datasets
        ),
        "backbone": "**untrained**" if record.untrained else "pretrained",
        "device": record.device,
        "time": f"{record.seconds:,.0f} s",
        "package": f"iqa {record.version}; "
        + ", ".join(f"{name} {version}" for name, version in record.libraries.items()),
        "key": execution.key if execution else "none: made before keys, or by hand",
        "notebook": f"[executed on the demo]({notebook})" if notebook else "",
    }
    given = {"parameters": record.parameters, "settings": record.settings}
    splits = pd.DataFrame([split.model_dump() for split in record.splits])
    parts = [
        "---\nnosearch: true\norphan: true\n---\n",
        f"# Record {one.name}{'' if one.of_people else ' (demo, pseudo-MOS)'}\n",
        "[All records](records.md)\n",
        _markdown(pd.DataFrame([(k, v) for k, v in about.items() if v], columns=["", " "])),
        f"## Repeat it\n\n```bash\niqa run {one.name} --profile {profile_of(one.folder)}\n```\n",
        _repeated(one),
        "## Tables\n",
        _sortable(pd.DataFrame(downloads), f"files-of-{one.label}"),
        f'The whole record: <a href="_static/records/{one.label}/record.json" download>'
        "record.json</a>.\n",
        "## Parameters, and settings in full\n",
        f"```yaml\n{yaml.safe_dump(given, sort_keys=False, allow_unicode=True)}```\n",
        "## Splits\n",
        _sortable(splits, f"splits-of-{one.label}") if len(splits) else "",
    ]
    return "\n".join(parts)


def _repeated(one: Run) -> str:
    """What the command of a record gives, in Markdown: the record itself, or another one."""
    try:
        today = check_run(read_profile(profile_of(one.folder)).find(one.name))
    except UserError as fault:
        return f"It cannot be made any more: {fault}.\n"
    given = one.record.parameters
    changed = [f"`{k}`" for k in given if k != "record_to" and given[k] != today.get(k)]
    told = "It runs today's code and takes the place of this record."
    if changed:
        told += f" The profile has changed since ({', '.join(changed)}): it makes another record."
    if one.of_people:
        told += " `IQA_DATA` has to name the folder with the data sets. For this very record check"
        told += f" out the commit that `git log -1 -- {COMMITTED}/{one.name}` names."
    return told + "\n"


def records_page(page: Path, runs: list[Run]) -> str:
    """The page in book/ with its tables of records in place of two comments."""
    damaged = []
    for path in sorted((project_root() / COMMITTED).glob("*/record.json")):
        try:
            run(path.parent.name)
        except UserError as fault:
            damaged.append(f"- {fault}")
    people = _listed([one for one in runs if one.of_people], "records")
    demo = _listed([one for one in runs if not one.of_people], "records-of-the-demo")
    text = page.read_text().replace("% records of ratings", "\n".join([people, "", *damaged]))
    return text.replace("% records of the demo", demo or "This site was built without them.")


def _listed(runs: list[Run], name: str) -> str:
    """Runs as a table that sorts; nothing where there are none."""
    rows = [
        {
            "record": f'<a href="record-{one.label}.html">{one.name}</a>',
            "set": one.set,
            "splits": len(one.record.splits),
            "seconds": round(one.record.seconds),
        }
        for one in runs
    ]
    return _sortable(pd.DataFrame(rows), name) if rows else ""


def _sortable(table: pd.DataFrame, name: str) -> str:
    """A table that sorts and filters, in Markdown; `name` is that of its CSV file."""
    text = table.to_html(index=False, border=0, classes="data", escape=False)
    return f'<div class="table" data-name="{name}">\n{text}\n</div>\n'


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


UNUSED = (
    "**/*.map",
    "**/*.ttf",
    "_sources/**/*",
    "_static/locales/**/*",
    "_static/scripts/fontawesome.js*",
    "_static/vendor/**/fa-brands*",
)
"""What themes ship and no page asks for."""


def prune(site: Path) -> None:
    """Remove from a built site what no page uses, and make its pictures small.

    The theme loads its icons twice: as a font, and as a script of 1.4 MB, which goes. Figures of
    executed notebooks are PNG; as WebP they have a quarter of the bytes. Pictures inside a page
    become files, a quarter smaller and loaded when they are shown.
    """
    images = site / "_images"
    images.mkdir(exist_ok=True)
    for path in images.glob("*.png"):
        read_rgb(path).save(path.with_suffix(".webp"), quality=70)
        path.unlink()
    for pattern in UNUSED:
        for path in site.glob(pattern):
            if path.is_file():
                path.unlink()
    for page in site.glob("*.html"):
        text = re.sub(r"<script[^>]*fontawesome[^>]*></script>", "", page.read_text())
        text = re.sub(r'(_images/[^"]+)\.png"', r'\1.webp"', text)
        page.write_text(_PICTURE.sub(partial(_as_file, images), text))
    for folder in sorted(site.glob("**/"), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


_PICTURE = re.compile("data:image/webp;base64,([A-Za-z0-9+/=]+)")


def _as_file(folder: Path, picture: re.Match) -> str:
    """The address of the file, in `folder`, that a picture inside a page becomes."""
    data = base64.b64decode(picture[1])
    name = f"{fingerprint(data)}.webp"
    (folder / name).write_bytes(data)
    return f"{folder.name}/{name}"


if __name__ == "__main__":
    if sys.argv[1] == "prune":
        prune(Path(sys.argv[2]))
    else:
        assemble(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
