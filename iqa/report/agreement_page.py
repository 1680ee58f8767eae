"""What `iqa evaluate` and `iqa compare` found, as a page in one file that loads nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import jinja2
import numpy as np
import pandas as pd

from iqa import __version__
from iqa.agreement import METRICS, Leak, Matched, estimates, fitted, outliers, per_content
from iqa.agreement.wording import cells, headline
from iqa.report import charts

_TEMPLATE = Path(__file__).with_suffix(".html.j2")
_POINTS = 1500
"""Images in a scatter plot: more would hide each other, and make the file large."""

_METHOD = (
    "Intervals: 95 %, bootstrap that draws contents with replacement (2,000 draws, tails widened "
    "for few contents after Hesterberg 2015). They cover other contents, not other trainings of "
    "a model. Fitted: after the 4-parameter logistic of VQEG (2000), fitted on these images."
)
_PAIRED = (
    "Differences are taken in the same draws; p-values are corrected by Holm's method. Equivalent: "
    "the whole interval lies inside the margin; better or worse: it excludes 0 and p is below "
    ".05; undecided: neither."
)

Leaks = Sequence[Leak] | None


def evaluation_page(
    matched: Matched,
    model: str,
    performance: pd.DataFrame,
    leaks: Leaks = None,
    notes: Sequence[str] = (),
) -> str:
    """The page of one model, HTML.

    Args:
        matched: with the model.
        model: its name.
        performance: the table of `iqa.agreement.performance`.
        leaks: of the split, None where none was audited.
        notes: what a reader should know.
    """
    first = cells(performance.head(1))[0]
    answer = f"SRCC {first[1]}" + (f" (95 % interval {first[2]})" if first[2] != "-" else "")
    parts = [
        _table("Agreement with the ratings", "metric, value, 95 % interval", performance),
        {"title": "Every image", "charts": [_scatter(matched, model)]},
        *_contents(matched, model),
        _table(
            "Farthest from the ratings",
            "image, content, rating, fitted prediction, error",
            outliers(matched, model, 20),
        ),
    ]
    answers = [{"kind": "", "text": answer}, *_audit(leaks)]
    title = f"How well does {model} agree with the ratings?"
    shown = {"title": title, "answers": answers, "parts": parts, "notes": notes}
    return _page(matched, method=_METHOD, **shown)


def comparison_page(
    matched: Matched,
    used: tuple[str, str, float],
    judged: pd.DataFrame,
    leaks: Leaks = None,
    notes: Sequence[str] = (),
) -> str:
    """The page of a comparison, HTML.

    Args:
        matched: all models.
        used: name of the baseline, metric (a key of `METRICS`) and margin.
        judged: the table of `iqa.agreement.compare`.
        leaks: of the split, None where none was audited.
        notes: what a reader should know.
    """
    baseline, metric, margin = used
    title = METRICS[metric].title
    answers = [
        {"kind": row.verdict, "text": headline(row, baseline, title, margin)}
        for row in judged.itertuples()
    ]
    columns = "model, difference, 95 % interval, p (Holm), verdict"
    parts = [
        _table(f"{title} minus that of {baseline}", columns, judged.drop(columns="p"))
        | {
            "charts": _differences(judged, baseline, title, margin),
            "text": f"The margin of equivalence is {margin:g}.",
        },
        _table(
            f"{title} of each model",
            f"model, {title}, 95 % interval",
            estimates(matched, metric).table(title),
        ),
        {
            "title": "Every image",
            "charts": [_scatter(matched, name) for name in matched.predictions],
        },
    ]
    shown = {"answers": [*answers, *_audit(leaks)], "parts": parts, "notes": notes}
    title = f"Does a model agree better with the ratings than {baseline}?"
    return _page(matched, title=title, method=f"{_METHOD} {_PAIRED}", **shown)


def _table(title: str, columns: str, data: pd.DataFrame) -> dict[str, Any]:
    return {"title": title, "columns": columns.split(", "), "rows": cells(data)}


def _page(matched: Matched, **shown: Any) -> str:
    # Names of files and models are other people's text: all of them are escaped.
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return page.render(of=matched, version=__version__, **shown)


def _audit(leaks: Leaks) -> Iterator[dict[str, str]]:
    for leak in leaks or ():
        yield {"kind": "leak", "text": f"The split leaks: {leak}"}
    if leaks is not None and not leaks:
        yield {"kind": "better", "text": "The sides of the split share nothing that was looked for"}


def _contents(matched: Matched, model: str) -> Iterator[dict[str, Any]]:
    table = per_content(matched, model)
    if len(table):
        title = "Each content of 3 images or more, the worst first"
        note = f"{min(50, len(table))} of {len(table)} contents. Error: fitted minus rating."
        yield _table(title, "content, images, SRCC, mean error", table.head(50)) | {"text": note}


def _scatter(matched: Matched, model: str) -> dict[str, str]:
    """Rating over prediction, with the fitted curve."""
    table = pd.DataFrame(
        {"prediction": matched.predictions[model], "fitted": fitted(matched, model)}
    )
    table["rating"] = matched.ratings.images["rating"].to_numpy()
    shown = table.sample(min(_POINTS, len(table)), random_state=0).sort_values("prediction")
    scale = alt.Scale(zero=False, nice=True)
    x = alt.X("prediction:Q", title=f"prediction of {model}", scale=scale)
    base = alt.Chart(shown).encode(x=x)
    dots = base.mark_point(filled=True, size=18, opacity=0.45, color="#4C78A8").encode(
        y=alt.Y("rating:Q", title="rating, higher is better", scale=scale)
    )
    layers = [dots]
    if np.isfinite(shown["fitted"]).all():
        layers.append(base.mark_line(color="#E45756", strokeWidth=2).encode(y="fitted:Q"))
    chart = alt.layer(*layers).properties(width=250, height=220)
    few = "" if len(shown) == len(table) else f" {len(shown)} of {len(table)} images are drawn."
    return {
        "svg": charts.picture(charts.specification(chart)),
        "alt": f"Ratings over predictions of {model}",
        "caption": f"{model}: a dot is an image, the line the fitted logistic.{few}",
    }


def _differences(
    judged: pd.DataFrame, baseline: str, title: str, margin: float
) -> list[dict[str, str]]:
    """The differences and their intervals above the margin of equivalence; none if withheld."""
    if judged[["low", "high"]].isna().any(axis=None):
        return []
    inside = alt.Chart(pd.DataFrame([{}])).mark_rect(color="#888", opacity=0.25)
    inside = inside.encode(x=alt.datum(-margin), x2=alt.datum(margin))
    words = f"difference in {title}, right is better"
    ends, rows = (-margin, margin), judged.assign(all="")
    (panel,) = charts.intervals(rows, "difference", "model", words, "all", also=ends)
    panel.layer.insert(0, inside)
    return [
        {
            "svg": charts.picture(charts.specification(panel, 420)),
            "alt": f"Differences in {title} to {baseline} with 95 % intervals",
            "caption": f"Difference to {baseline} and its 95 % interval. The dashed line is 0, the "
            "band the margin of equivalence.",
        }
    ]
