"""Put the site together: `python -m iqa.report.site PROFILE PAGES OUT`.

The folder OUT gets the pages of book/, executed ones from PAGES, a page for each record with
its tables as CSV, and the executed notebooks; Jupyter Book builds the site from it.
`prune` removes from a built site what no page uses.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import vl_convert
import yaml

from iqa.errors import UserError
from iqa.experiments import read_profile
from iqa.experiments.record import read_execution
from iqa.files import project_root, written_whole
from iqa.images import read_rgb
from iqa.report.records import COMMITTED, Run, all_runs, run

LARGEST = 60_000
"""Bytes of the largest table that the site holds; larger ones are in the repository."""

ROWS_AS_CSV = 2000
"""Tables of more rows than this are offered as Parquet alone: predictions are large."""


def assemble(profile: str, pages: Path, out: Path) -> None:
    """Write into `out` what Jupyter Book builds the site from."""
    root = project_root()
    with written_whole(out) as draft:
        shutil.copytree(root / "book", draft)
        for page in pages.glob("*.ipynb"):
            (draft / f"{page.stem}.md").unlink()
            shutil.copy(page, draft)
        _add_libraries(draft / "_extra" / "lib")
        committed = list(all_runs(COMMITTED))
        demo = read_profile(profile).folder
        shown = [*committed, *all_runs(demo)]
        for one in committed:
            (draft / f"record-{one.name}.md").write_text(record_page(one, draft / "_static"))
        (draft / "records.md").write_text(records_page(draft / "records.md", committed))
        for one in shown:
            _copy_notebook(one, draft)
        _add_to_contents(draft, committed, shown)
        _link_executed(draft, [page.stem for page in pages.glob("*.ipynb")])


def _link_executed(draft: Path, names: list[str]) -> None:
    """Links to `NAME.md` lead to the executed `NAME.ipynb`."""
    pattern = re.compile(rf"\]\(({'|'.join(names)})\.md\)")
    for page in [*draft.glob("*.md"), *draft.glob("*.ipynb")]:
        page.write_text(pattern.sub(r"](\1.ipynb)", page.read_text()))


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


def _copy_notebook(one: Run, draft: Path) -> None:
    """The executed notebook of a run, kept out of the search; committed records have none."""
    path = one.folder / "notebook.ipynb"
    if path.exists():
        notebook = json.loads(path.read_text())
        notebook["metadata"]["orphan"] = notebook["metadata"]["nosearch"] = True
        (draft / f"notebook-{one.name}.ipynb").write_text(json.dumps(notebook))


def record_page(one: Run, static: Path) -> str:
    """A page in Markdown: how the run was made, on what, and its tables to download."""
    record, execution = one.record, read_execution(one.folder)
    folder = static / "records" / one.name
    folder.mkdir(parents=True)
    downloads = []
    for name, mark in record.files.items():
        if (one.folder / name).stat().st_size > LARGEST:
            where = f"{name}, in {COMMITTED}/{one.name} of the repository"
            downloads.append({"file": where, "rows": "", "fingerprint": mark})
            continue
        shutil.copy(one.folder / name, folder)
        path = f"_static/records/{one.name}/{name}"
        links = f'<a href="{path}" download>{name}</a>'
        table = pd.read_parquet(one.folder / name) if name.endswith(".parquet") else None
        if table is not None and len(table) <= ROWS_AS_CSV:
            csv = name.replace(".parquet", ".csv")
            table.to_csv(folder / csv, index=False)
            links += f', <a href="_static/records/{one.name}/{csv}" download>{csv}</a>'
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
        "note": record.settings.get("converted", ""),
    }
    profile = execution.profile if execution else "long"
    splits = pd.DataFrame([split.model_dump() for split in record.splits])
    parts = [
        "---\nnosearch: true\n---\n",
        f"# Record {one.name}\n",
        _markdown(pd.DataFrame([(k, v) for k, v in about.items() if v], columns=["", " "])),
        f"## Repeat it\n\n```bash\niqa run {one.name} --profile {profile}\n```\n",
        "## Tables\n",
        _markdown(pd.DataFrame(downloads)),
        f'The whole record: <a href="_static/records/{one.name}/record.json" download>'
        "record.json</a>.\n",
        "## Parameters\n",
        _code(record.parameters),
        "## Settings in full\n",
        _code(record.settings),
        "## Splits\n",
        _markdown(splits) if len(splits) else "",
    ]
    return "\n".join(parts)


def records_page(page: Path, committed: list[Run]) -> str:
    """The page in book/ with the table of all records at its end."""
    rows = [
        {
            "record": f'<a href="record-{one.name}.html">{one.name}</a>',
            "set": one.set,
            "splits": len(one.record.splits),
            "seconds": round(one.record.seconds),
        }
        for one in committed
    ]
    damaged = [
        f"- {path.parent.name}: {fault}"
        for path in sorted((project_root() / COMMITTED).glob("*/record.json"))
        if (fault := _fault(path.parent.name))
    ]
    table = pd.DataFrame(rows).to_html(index=False, border=0, classes="data", escape=False)
    shown = f'<div class="table" data-name="records">\n{table}\n</div>'
    return "\n".join([page.read_text(), shown, "", *damaged])


def _fault(name: str) -> str:
    try:
        run(name)
    except UserError as fault:
        return str(fault)
    return ""


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


def _code(values: dict) -> str:
    return f"```yaml\n{yaml.safe_dump(values, sort_keys=False, allow_unicode=True)}```\n"


def _add_to_contents(draft: Path, committed: list[Run], shown: list[Run]) -> None:
    """Record pages under the page of the records."""
    path = draft / "_toc.yml"
    contents = yaml.safe_load(path.read_text())
    for part in contents["parts"]:
        for chapter in part["chapters"]:
            if chapter["file"] == "records":
                chapter["sections"] = [{"file": f"record-{one.name}"} for one in committed]
    path.write_text(yaml.safe_dump(contents, sort_keys=False))


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
    executed notebooks are PNG; as WebP they have a quarter of the bytes.
    """
    for path in site.glob("_images/*.png"):
        read_rgb(path).save(path.with_suffix(".webp"), quality=88)
        path.unlink()
    for pattern in UNUSED:
        for path in site.glob(pattern):
            if path.is_file():
                path.unlink()
    for page in site.glob("*.html"):
        text = re.sub(r"<script[^>]*fontawesome[^>]*></script>", "", page.read_text())
        page.write_text(re.sub(r'(_images/[^"]+)\.png"', r'\1.webp"', text))


if __name__ == "__main__":
    if sys.argv[1] == "prune":
        prune(Path(sys.argv[2]))
    else:
        assemble(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
