"""A headless browser on the built site, opened as files as a reader does after `make report`.

`pytest -m browser tests/site` tests build/report, or the folder that IQA_SITE names.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from visits import Visit

from iqa.files import project_root


@pytest.fixture(scope="session")
def site() -> Path:
    folder = Path(os.environ.get("IQA_SITE") or project_root() / "build" / "report").resolve()
    if not (folder / "index.html").exists():
        pytest.skip(f"{folder} holds no site: make report")
    return folder


@pytest.fixture(scope="session")
def browser():
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium-headless-shell")
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
        opened = browser.new_context(viewport={"width": width, "height": 844}, **context)
        it = Visit(opened.new_page(), site)
        it.listen()
        it.go_to(name)
        yield it
        opened.close()

    return open_page
