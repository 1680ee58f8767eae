"""What a page shows beside charts: claims, tables that sort, links to records."""

import html
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from iqa.report.claims import Judged, chance, judge
from iqa.report.records import Run

CHANGES = {"better": "larger", "worse": "smaller"}
"""What verdicts are called on a change that is neither good nor bad."""

_HEADINGS = {"p_holm": "corrected p", "settled_by": "settled by", "learning_rate": "learning rate"}
_SIGNS = {"better": "✓", "worse": "✗", "equivalent": "=", "undecided": "?"}
_ARROWS = _SIGNS | {"better": "↑", "worse": "↓"}

OPEN = 3
"""Claims that stand open; a page that rests on more folds the rest."""


def claim(*names: str) -> HTML:
    """Claims, one below the other, each with its verdict and a link to its record.

    Where the plan asks for the same difference and judges it otherwise, its verdict is added.
    Of more than `OPEN` + 1 the first `OPEN` stand open, and the rest are folded under a line that
    counts their verdicts.
    """
    judged = [judge(name) for name in names]
    claims = [_claim(one) for one in judged]
    if len(names) > OPEN + 1:
        counts = Counter(map(_badge, judged[OPEN:]))
        said = ", ".join(f"{sign} {number} {word}" for (sign, word), number in counts.items())
        summary = f"<summary>{len(names) - OPEN} more results: {said}</summary>"
        claims = [
            *claims[:OPEN],
            f'<details class="claims">{summary}',
            *claims[OPEN:],
            "</details>",
        ]
    return HTML("\n".join(claims))


def _badge(judged: Judged) -> tuple[str, str]:
    """The sign and the word of a claim's verdict."""
    if judged.claim.words == "change":
        return _ARROWS[judged.verdict], CHANGES.get(judged.verdict, judged.verdict)
    return _SIGNS[judged.verdict], judged.verdict


def _claim(judged: Judged) -> str:
    sign, word = _badge(judged)
    said = f"{sign} {word}"
    if judged.planned not in (None, judged.verdict):
        said += f"; in the plan: {judged.planned}"
    return (
        f'<p class="claim {word}"><span class="verdict">{said}</span> '
        f'{html.escape(judged.sentence)} <a href="record-{judged.claim.run}.html">record</a></p>'
    )


def table(data: pd.DataFrame, digits: int = 3, name: str = "table") -> HTML:
    """A table that sorts, filters and can be downloaded as CSV; its columns are put in order.

    Args:
        data: one row a fact; numbers are rounded, missing ones are shown as withheld intervals.
        digits: after the decimal point.
        name: of the CSV file.
    """
    shown = data[_in_order(list(data.columns))].rename_axis(columns=None)
    for column in shown.select_dtypes("float"):
        if column in ("p", "p_holm", "corrected p"):
            shown[column] = shown[column].map(
                lambda p: "–" if pd.isna(p) else chance(p).removeprefix("p ").removeprefix("= ")
            )
        elif column in ("learning_rate", "share"):
            shown[column] = shown[column].map("{:g}".format)
        else:
            shown[column] = shown[column].map(lambda v: "–" if pd.isna(v) else f"{v:.{digits}f}")
    shown = shown.rename(columns=_HEADINGS | {"srcc": "SRCC", "plcc": "PLCC"})
    text = shown.to_html(index=False, border=0, classes="data", na_rep="–")
    # Sentences are broken into lines; names and numbers are not.
    longest = max((len(str(cell)) for cell in shown.to_numpy().ravel()), default=0)
    kind = "table sentences" if longest > 60 else "table"
    return HTML(f'<div class="{kind}" data-name="{html.escape(name)}">{text}</div>')


def _in_order(columns: list[str]) -> list[str]:
    """The data set first; a verdict behind the names of what is compared, p-values last.

    >>> _in_order(["head", "difference", "low", "high", "p", "p_holm", "verdict", "set"])
    ['set', 'head', 'verdict', 'difference', 'low', 'high', 'p', 'p_holm']
    """
    names = columns[: columns.index("difference")] if "difference" in columns else []
    wanted = ["set", *names, "verdict", *(name for name in columns if not name.startswith("p_"))]
    last = [name for name in ("p", "p_holm") if name in columns]
    found = dict.fromkeys(name for name in wanted if name in columns and name not in last)
    return [*found, *last]


def points(sentences: Sequence[str]) -> HTML:
    """Sentences that people wrote elsewhere, as a list."""
    return HTML("<ul>" + "".join(f"<li>{html.escape(one)}</li>" for one in sentences) + "</ul>")


def sources(runs: Sequence[Run]) -> HTML:
    """Links to the records that a page rests on."""
    links = ", ".join(f'<a href="record-{run.label}.html">{run.label}</a>' for run in runs)
    return HTML(f'<p class="sources">Records: {links}.</p>')
