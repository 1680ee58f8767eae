"""Sentences that conclude, each bound to what it rests on: `results/claims.yaml`.

A claim is a human sentence with places for its numbers, the record and estimand they come from, and
the verdict that the sentence takes for granted. A test recomputes every claim and fails where the
verdict turned, so the prose cannot outlive its evidence.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from iqa.errors import UserError, explain, unknown
from iqa.evaluation import MARGIN, Verdict
from iqa.experiments.analysis_plan import read_plan
from iqa.files import project_root
from iqa.report.estimands import named
from iqa.report.plan import answers
from iqa.report.records import run

FILE = "results/claims.yaml"
PLAN = "plan"


class Claim(BaseModel):
    """A sentence and its evidence.

    Attributes:
        says: the sentence; `{difference}` and `{interval}` are filled in.
        run: the record.
        estimand: a name in `ESTIMANDS`, "transfer to NAME" or "plan", with its family.
        of: labels of the estimate, or the question of the plan.
        minus: labels of what is subtracted; empty where the estimand is a difference already.
        family: labels within which Holm's correction is made.
        margin: of equivalence, in units of the metric; 0 where it is no SRCC.
        expected: the verdict that the sentence takes for granted.
        words: "change" where the difference is neither good nor bad, as that of an effect is.
        question: of the plan that asks the same of the same set, in another record.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    says: str
    run: str
    estimand: str
    of: dict[str, Any]
    minus: dict[str, Any] = {}
    family: list[str] = []
    margin: float = MARGIN
    expected: Verdict
    words: Literal["verdict", "change"] = "verdict"
    question: str = ""


class Judged(BaseModel):
    """A claim with its numbers; its p-value is corrected with those of its family, `among` all.

    `planned` is the plan's verdict on the same difference, None where it does not ask for it.
    """

    claim: Claim
    difference: float
    low: float
    high: float
    p_holm: float
    among: int
    verdict: Verdict
    planned: Verdict | None

    @property
    def sentence(self) -> str:
        """The claim's sentence with its numbers; `{interval}` has the p-value, too."""
        family = f" among {self.among} comparisons" if self.among > 1 else ", a single comparison"
        interval = f"95 % interval {signed(self.low)} to {signed(self.high)}"
        interval += f", {'corrected ' * (self.among > 1)}{chance(self.p_holm)}{family}"
        return self.claim.says.format(difference=signed(self.difference), interval=interval)


def signed(value: float) -> str:
    """A difference in SRCC as people write it; near 0 with a digit more, which has its sign.

    >>> signed(0.0331), signed(-0.2), signed(-0.0001), signed(0)
    ('+.033', '−.200', '−.0001', '±.0000')
    """
    digits = f"{abs(value):.{3 + (abs(value) < 0.0005)}f}".removeprefix("0")
    sign = "±" if digits == ".0000" else "−" if value < 0 else "+"
    return f"{sign}{digits}"


def chance(p: float) -> str:
    """A p-value as people write it.

    >>> chance(0.0313), chance(0.00002)
    ('p = .031', 'p < .001')
    """
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def read_claims() -> dict[str, Claim]:
    """The claims by name; a `UserError` names the claim and the key at fault."""
    return _claims((project_root() / FILE).read_text())


@cache
def _claims(text: str) -> dict[str, Claim]:
    # Each page asks for many claims, and to parse the file takes a tenth of a second.
    found = {}
    for name, fields in yaml.safe_load(text).items():
        try:
            found[name] = Claim(**fields)
            found[name].estimand == PLAN or named(found[name].estimand)
        except (ValidationError, UserError) as fault:
            reason = explain(fault) if isinstance(fault, ValidationError) else fault
            raise UserError(f"{Path(FILE).name}, claim {name}: {reason}") from None
    return found


@cache
def judge(name: str) -> Judged:
    """A claim with its numbers, computed from the record.

    Raises:
        UserError: no such claim, or its record is missing or damaged.
    """
    claims = read_claims()
    if name not in claims:
        raise unknown("claim", name, list(claims))
    claim = claims[name]
    table = _family(claim)
    for label, value in claim.of.items():
        table = table[table[label] == value]
    if len(table) != 1:
        raise UserError(f"claim {name}: {claim.of} fits {len(table)} estimates, expected one")
    row = table.iloc[0]
    names = ("difference", "low", "high", "p_holm", "among", "verdict")
    return Judged(claim=claim, planned=_planned(claim), **{key: row[key] for key in names})


@cache
def plan_answers() -> pd.DataFrame:
    """The answers to the plan's questions, computed once."""
    return answers(read_plan())


def _planned(claim: Claim) -> Verdict | None:
    asked = (claim.estimand, claim.of, claim.minus)
    for name, one in read_plan().questions.items():
        same = claim.run in one.runs and asked == (one.estimand, one.of, one.minus)
        if same or name == claim.question:
            given = plan_answers().query("planned != '–'").set_index(["question", "set"])
            return given["verdict"].get((name, run(claim.run).set))
    return None


def _family(claim: Claim) -> pd.DataFrame:
    """Everything that is judged with a claim; `among` is how many were corrected together."""
    if claim.estimand == PLAN:
        table = plan_answers().assign(among=len(plan_answers()))
        return table[table["run"] == run(claim.run).name]
    estimates = named(claim.estimand)(run(claim.run))
    differences = estimates.minus(**claim.minus) if claim.minus else estimates
    table = differences.verdicts(claim.margin, claim.family)
    sizes = table.groupby(claim.family)["p"].transform("count") if claim.family else len(table)
    return table.assign(among=sizes)
