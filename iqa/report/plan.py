"""The answers to the questions of the analysis plan, from the records that are there."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import norm, t
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.tools.sm_exceptions import InvalidTestWarning

from iqa.errors import UserError, unknown
from iqa.evaluation import holm, verdict
from iqa.experiments.analysis_plan import Plan, Question
from iqa.experiments.profile import read_profile
from iqa.experiments.record import read_execution
from iqa.report.estimands import named
from iqa.report.records import SETS, Run, run

NOT_RUN = "not run"
_NUMBERS = ("difference", "low", "high", "p")


def answers(plan: Plan) -> pd.DataFrame:
    """Every question on every data set, with one Holm correction over all that were asked.

    A question that is not answered yet counts as one with p = 1, so that later runs do not make
    the others' p-values larger.

    Returns:
        Columns question, set, difference, low, high (95 %), p, p_holm, verdict ("not run" where the
        record is missing), detectable (the smallest difference that this size finds with the plan's
        power, from the interval's width), settled_by (see `_settled_by`), planned ("yes", or "no"
        where the record was made under another plan), run.

    Raises:
        UserError: a question names an estimand, a label or a set that is not there.
    """
    found = [
        _answer(name, question, record, plan)
        for name, question in plan.questions.items()
        for record in question.runs
    ]
    table = pd.DataFrame(found)
    table["detectable"] = _errors(table) * (norm.ppf(0.975) + norm.ppf(plan.power))
    table["p_holm"] = holm(table["p"])
    rows = zip(table["low"], table["high"], table["p_holm"], strict=True)
    judged = [verdict(*row, plan.margin) for row in rows]
    table["verdict"] = np.where(table["planned"] == "–", NOT_RUN, judged)
    return table.assign(settled_by=_settled_by(table, plan))


def _errors(table: pd.DataFrame) -> "pd.Series[float]":
    """Standard errors: the half width of each interval over 1.96."""
    return (table["high"] - table["low"]) / 2 / norm.ppf(0.975)


def _settled_by(table: pd.DataFrame, plan: Plan) -> list[str]:
    """How many times as many images an undecided answer needs, such as "7 x"; else "–".

    Supposed that the difference is the one found, or the margin where that is larger: the interval
    narrows with the root of the images, and has to be found with the plan's power in the hardest
    place of the Holm correction.
    """
    aim = table["difference"].abs().clip(lower=plan.margin)
    reach = norm.ppf(1 - 0.025 / len(table)) + norm.ppf(plan.power)
    times = (_errors(table) * reach / aim) ** 2
    return [
        f"{ratio:,.0f} x" if judged == "undecided" and np.isfinite(ratio) else "–"
        for ratio, judged in zip(np.ceil(times), table["verdict"], strict=True)
    ]


def _answer(name: str, question: Question, record: str, plan: Plan) -> dict[str, object]:
    answer: dict[str, object] = {"question": name, "run": record, "planned": "–"}
    estimate = named(question.estimand)
    try:
        found = run(record)
    except UserError:
        made = [spec.label for name in ("cpu", "long") for spec in read_profile(name).runs]
        if record not in made:
            raise unknown(f"run of the plan's question {name!r}", record, made) from None
        label = SETS[record.rpartition("-")[2]]
        return answer | dict.fromkeys(_NUMBERS, np.nan) | {"set": label}
    try:
        rows = estimate(found).minus(**question.minus).select(**question.of).verdicts()
    except KeyError as fault:
        fields = f"the estimand {question.estimand!r} and `of`"
        raise UserError(f"plan, question {name!r}: {record} lacks {fault}; see {fields}") from None
    if len(rows) != 1:
        raise UserError(f"plan, question {name!r}: {len(rows)} answers in {record}; complete `of`")
    numbers = dict(rows.iloc[0][[*_NUMBERS]])
    return answer | numbers | {"set": found.set, "planned": _planned(found, plan)}


def _planned(found: Run, plan: Plan) -> str:
    """Whether the record was made under this very plan."""
    execution = read_execution(found.folder)
    return "yes" if execution and execution.plan == plan.mark else "no"


def over_sets(table: pd.DataFrame) -> pd.DataFrame:
    """Each question over its data sets: a random-effects summary of two or more.

    The variance between sets is that of Paule and Mandel (Journal of Research of the National
    Bureau of Standards 87, 1982), the interval that of Hartung and Knapp (Statistics in Medicine
    20, 2001): a t-distribution whose degrees of freedom are the sets less one, so with two sets it
    is very wide. Where the sets agree more closely than chance lets them, the standard error is
    that of the weights alone (Röver, Knapp and Friede, BMC Medical Research Methodology 15, 2015).
    A set's standard error is the half width of its interval over 1.96.

    Returns:
        Columns question, sets, difference, low, high, between (the standard deviation between
        sets, in SRCC).
    """
    rows = []
    for question, part in table.dropna(subset=["low"]).groupby("question", sort=False):
        if len(part) < 2:
            continue
        effect, variance = part["difference"].to_numpy(dtype=float), _errors(part).to_numpy() ** 2
        with warnings.catch_warnings():
            # It concerns the intervals of single sets, which are not used.
            warnings.simplefilter("ignore", InvalidTestWarning)
            found = combine_effects(effect, variance, method_re="pm")
        error = max(found.sd_eff_w_re, found.sd_eff_w_re_hksj)
        half, mean = error * t.ppf(0.975, len(part) - 1), found.mean_effect_re
        between = float(np.sqrt(max(found.tau2, 0)))
        rows.append((question, len(part), mean, mean - half, mean + half, between))
    names = ("question", "sets", "difference", "low", "high", "between")
    return pd.DataFrame(rows, columns=names)
