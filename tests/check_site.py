"""Check built HTML pages: `python tests/check_site.py FOLDER`; exit status 1 names what is wrong.

Every internal link and picture leads somewhere, nothing is loaded from the network, no page shows
a traceback, and every page of the table of contents is there.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

TOC = Path(__file__).parents[1] / "book" / "_toc.yml"
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("object", "data")}


class _Page(HTMLParser):
    """The ids and the references of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.references: list[tuple[str, str, str]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            if name in ("href", "src", "data") and value:
                self.references.append((tag, name, value))


def faults(folder: Path) -> list[str]:
    """What is wrong with the pages in `folder`, one line each."""
    pages = {path.resolve(): _Page(path) for path in sorted(folder.rglob("*.html"))}
    found = [
        f"{page}.html: missing" for page in _contents() if not (folder / f"{page}.html").is_file()
    ]
    for path, page in pages.items():
        if "_static" in path.parts:
            continue
        name = path.relative_to(folder.resolve())
        if re.search(r"Traceback \(most recent", path.read_text()):
            found.append(f"{name}: shows a traceback")
        found += [
            f"{name}: {fault}" for ref in page.references if (fault := _fault(path, ref, pages))
        ]
    return found


def _fault(path: Path, reference: tuple[str, str, str], pages: dict[Path, _Page]) -> str | None:
    tag, attribute, value = reference
    parts = urlsplit(value)
    if parts.scheme in ("data", "mailto", "javascript"):
        return None
    if parts.scheme or value.startswith("//"):
        loaded = (tag, attribute) in LOADS
        return f"loads {value} from the network" if loaded else None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return f"{value} leads nowhere"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return f"{value} has no such place"
    return None


def _contents() -> list[str]:
    toc = yaml.safe_load(TOC.read_text())
    return [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]))
    print("\n".join(wrong) or "pages: all links lead somewhere, nothing comes from the network")
    sys.exit(bool(wrong))
