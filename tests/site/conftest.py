"""A headless browser on the built site, opened as files as a reader does after `make report`.

`pytest -m browser tests/site` tests build/report, or the folder that IQA_SITE names.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from iqa.files import project_root


@dataclass
class Visit:
    """A page in a tab, and what went wrong or was loaded since it was opened."""

    page: object
    faults: list[str] = field(default_factory=list)
    loaded: list[Path] = field(default_factory=list)

    def listen(self):
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("request", self._request)
        self.page.on(
            "requestfailed", lambda request: self.faults.append(f"not loaded: {request.url}")
        )

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme == "file":
            self.loaded.append(Path(unquote(parts.path)))
        elif parts.scheme not in ("data", "blob", "about"):
            self.faults.append(f"leaves the machine: {request.url}")


@pytest.fixture(scope="session")
def site() -> Path:
    folder = Path(os.environ.get("IQA_SITE") or project_root() / "build" / "report").resolve()
    if not (folder / "index.html").exists():
        pytest.skip(f"{folder} holds no site: make report")
    return folder


@pytest.fixture(scope="session")
def browser():
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as runner:
        # Without its sandbox, which root may not use.
        chromium = runner.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(site, browser):
    """Opens a page of the site: `with visit("gate", width=390) as it: it.page...`."""

    @contextmanager
    def open_page(name: str, width: int = 1280, **context) -> Iterator[Visit]:
        name, _, query = name.partition("?")
        screen = {"width": width, "height": 844}
        opened = browser.new_context(viewport=screen, **context)
        it = Visit(opened.new_page())
        it.listen()
        address = (site / f"{name}.html").as_uri() + (f"?{query}" if query else "")
        it.page.goto(address, wait_until="load", timeout=120_000)
        it.page.wait_for_load_state("networkidle")
        yield it
        opened.close()

    return open_page
