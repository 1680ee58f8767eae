"""Sphinx extension of the site: formulas without a script, terms explained, no Thebe."""

import html
import os
import re
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.config import Config

DESCRIPTION = (
    "A reproducible companion to a study of image quality without a reference: every number comes "
    "from a record, and every conclusion is tested."
)


def visit_math(self, node):
    """A formula in a line."""
    self.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def visit_math_block(self, node):
    """A formula by itself."""
    self.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def explain_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """The first use of a glossary's term on a page shows its meaning on hover and leads there."""
    if docname == "glossary" or docname.startswith(("record-", "notebook-")):
        return
    terms = _terms(app.env.get_doctree("glossary"))
    # As whole words: not the MOS of pseudo-MOS.
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, terms))})(?![\w-])")
    target = app.builder.get_relative_uri(docname, "glossary")
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.paragraph | nodes.strong):
            continue
        pieces: list[nodes.Node] = []
        end = 0
        for found in pattern.finditer(text):
            if found[0] in terms:
                name, meaning = terms.pop(found[0])
                link = {"refuri": f"{target}#{name}", "reftitle": meaning, "internal": True}
                pieces.append(nodes.Text(text[end : found.start()]))
                pieces.append(nodes.reference("", found[0], classes=["term"], **link))
                end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def _terms(glossary: nodes.document) -> dict[str, tuple[str, str]]:
    """The id and the meaning of each term."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        *terms, meaning = item.children
        for term in terms:
            found[term.astext()] = (term["ids"][0], " ".join(meaning.astext().split()))
    return found


def without_thebe(app: Sphinx, *_) -> None:
    """Jupyter Book always adds Thebe, whose script is an error on every page without a kernel."""
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")
        ]


def only_what_is_used(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """Thebe's style goes with Thebe; the contents call the front page by its place."""
    context["root_title"] = "Start"
    context["css_files"] = [one for one in context["css_files"] if "thebe" not in str(one)]


def described(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """What a search engine and a messenger show of a page; a card needs the address of the site."""
    title = html.escape(f"{Markup(context.get('title') or '').striptags()} · {app.config.project}")
    # The answer of a page stands in bold at its top.
    bold = next(doctree.findall(nodes.strong), None) if doctree else None
    said = html.escape(" ".join(bold.astext().split())) if bold else ""
    text = said if len(said) > 60 else DESCRIPTION
    tags = {"og:title": title, "og:description": text, "og:type": "website"}
    if address := os.environ.get("SITE_URL"):
        tags["og:image"] = f"{address.rstrip('/')}/card.png"
    lines = [f'<meta name="description" content="{text}">']
    lines += [f'<meta property="{k}" content="{v}">' for k, v in tags.items()]
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def titles_first(app: Sphinx, config: Config) -> None:
    """The search ranks by `scorer.js`, which Sphinx would look for in the current folder."""
    config.html_search_scorer = str(Path(__file__).with_name("scorer.js"))


def with_repository(app: Sphinx, config: Config) -> None:
    """The footer leads to the repository where its address is known.

    The theme's own button would need a font of brands for one icon.
    """
    if address := os.environ.get("SITE_REPOSITORY"):
        link = f'<a href="{html.escape(address)}">The code</a> · '
        footer = config.html_theme_options["extra_footer"]
        config.html_theme_options["extra_footer"] = footer.replace("<p>", f"<p>{link}", 1)


def repository_button(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """The first page has a button for the repository where its address is known."""
    address = os.environ.get("SITE_REPOSITORY")
    if address and pagename == "index":
        paper = ">The paper</a>"
        button = f'{paper}<a href="{html.escape(address)}">The code</a>'
        context["body"] = context["body"].replace(paper, button, 1)


def rooted(app: Sphinx, fault: Exception | None) -> None:
    """The page of lost addresses is shown at any depth: its links begin at the site's address."""
    page = Path(app.outdir) / "404.html"
    address = os.environ.get("SITE_URL")
    if address and page.exists():
        base = f'<head><base href="{html.escape(address.rstrip("/"))}/">'
        page.write_text(page.read_text().replace("<head>", base, 1))


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("doctree-resolved", explain_terms)
    app.connect("html-page-context", only_what_is_used, priority=900)
    app.connect("html-page-context", described)
    app.connect("html-page-context", repository_button)
    app.connect("build-finished", rooted)
    app.connect("config-inited", titles_first)
    app.connect("config-inited", with_repository)
    app.connect("config-inited", without_thebe, priority=1)
    app.connect("builder-inited", without_thebe, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
