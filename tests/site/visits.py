"""A page in a browser, and what goes wrong there."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Visit:
    """A page in a tab, and what went wrong or was loaded since it was opened."""

    page: object
    site: Path
    faults: list[str] = field(default_factory=list)
    loaded: list[Path] = field(default_factory=list)

    def go_to(self, name):
        """Open a page, such as "gate" or "leaderboard?show=published", in the same tab."""
        name, _, query = name.partition("?")
        address = (self.site / f"{name}.html").as_uri() + (f"?{query}" if query else "")
        self.page.goto(address, wait_until="load", timeout=120_000)
        self.page.wait_for_load_state("networkidle")

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
