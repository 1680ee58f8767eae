"""Sentences that conclude, each bound to what it rests on: `results/claims.yaml`.

A claim is a human sentence with places for its numbers, the record and estimand they come from, and
the verdict that the sentence takes for granted. A test recomputes every claim and fails where the
verdict turned, so the prose cannot outlive its evidence.
"""

from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from iqa.errors import UserError, explain, unknown
from iqa.evaluation import MARGIN, Verdict
from iqa.files import project_root
from iqa.report.estimands import named
from iqa.report.records import run


class Claim(BaseModel):
    """A sentence and its evidence.

    Attributes:
        says: the sentence; `{difference}` and `{interval}` are filled in.
        run: the record.
        estimand: a name in `ESTIMANDS`, or "transfer to NAME".
        of: labels of the estimate.
        minus: labels of what is subtracted.
        family: labels within which Holm's correction is made.
        margin: of equivalence, in units of the metric; 0 where it is no SRCC.
        expected: the verdict that the sentence takes for granted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    says: str
    run: str
    estimand: str
    of: dict[str, Any]
    minus: dict[str, Any]
    family: list[str] = []
    margin: float = MARGIN
    expected: Verdict


class Judged(BaseModel):
    """A claim with its numbers: the difference, its 95 % interval, the verdict that they give."""

    claim: Claim
    difference: float
    low: float
    high: float
    p_holm: float
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """The claim's sentence with its numbers; `{interval}` has the corrected p-value, too."""
        p = f"corrected {chance(self.p_holm)}"
        interval = f"95 % interval {signed(self.low)} to {signed(self.high)}, {p}"
        return self.claim.says.format(difference=signed(self.difference), interval=interval)


def signed(value: float) -> str:
    """A difference in SRCC as people write it.

    >>> signed(0.0331), signed(-0.2), signed(-0.0001)
    ('+.033', '−.200', '±.000')
    """
    digits = f"{abs(value):.3f}".removeprefix("0")
    sign = "±" if digits == ".000" else "−" if value < 0 else "+"
    return f"{sign}{digits}"


def chance(p: float) -> str:
    """A p-value as people write it.

    >>> chance(0.0313), chance(0.00002)
    ('p = .031', 'p < .001')
    """
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def read_claims() -> dict[str, Claim]:
    """The claims by name.

    Raises:
        UserError: the file is not valid; names the claim and the key at fault.
    """
    path = project_root() / "results" / "claims.yaml"
    found = {}
    for name, fields in yaml.safe_load(path.read_text()).items():
        try:
            found[name] = Claim(**fields)
        except ValidationError as fault:
            raise UserError(f"{path.name}, claim {name}: {explain(fault)}") from None
        try:
            named(found[name].estimand)
        except UserError as fault:
            raise UserError(f"{path.name}, claim {name}: {fault}") from None
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
    estimates = named(claim.estimand)(run(claim.run))
    table = estimates.minus(**claim.minus).verdicts(claim.margin, claim.family)
    for label, value in claim.of.items():
        table = table[table[label] == value]
    if len(table) != 1:
        raise UserError(f"claim {name}: {claim.of} fits {len(table)} estimates, expected one")
    row = table.iloc[0]
    names = ("difference", "low", "high", "p_holm", "verdict")
    return Judged(claim=claim, **{key: row[key] for key in names})
