"""The analysis plan, `results/plan.yaml`: the primary questions, written before their runs."""

from datetime import date
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iqa.errors import UserError, explain
from iqa.files import fingerprint, project_root

PLAN = "results/plan.yaml"


class Question(BaseModel):
    """A difference that is asked for on several data sets.

    Attributes:
        asks: the question, as a sentence.
        estimand: what is estimated, by the name that claims use.
        of: labels of the estimate.
        minus: labels of what is subtracted.
        runs: the records that answer it, one for each data set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    asks: str
    estimand: str
    of: dict[str, Any]
    minus: dict[str, Any]
    runs: list[str] = Field(min_length=1)


class Change(BaseModel):
    """What was changed in the plan after its first version, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    when: date
    what: str
    why: str


class Plan(BaseModel):
    """What is asked, and how the answers are judged.

    Attributes:
        written: day of the first version.
        margin: of equivalence, in SRCC.
        power: with which a difference shall be found, in (0, 1); says how small a difference the
            planned size can detect.
        questions: by name; Holm's correction is made over all their answers.
        exploratory: what else is looked at, without a claim to confirm it.
        changes: made after the first version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    written: date
    margin: float = Field(ge=0)
    power: float = Field(gt=0, lt=1)
    questions: dict[str, Question] = Field(min_length=1)
    exploratory: list[str]
    changes: list[Change] = []

    @property
    def mark(self) -> str:
        """Fingerprint of what judges a record: the margin and the questions, not their wording."""
        questions = [question.model_dump(exclude={"asks"}) for question in self.questions.values()]
        return fingerprint(repr(self.margin), *map(repr, questions))


def read_plan() -> Plan:
    """The plan of the project.

    Raises:
        UserError: the file is missing or not valid; names the key at fault.
    """
    try:
        return _parsed((project_root() / PLAN).read_text())
    except ValidationError as fault:
        raise UserError(f"{PLAN}: {explain(fault)}") from None
    except (OSError, TypeError, yaml.YAMLError) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(f"{PLAN} cannot be read ({reason}): restore it by git") from None


@cache
def _parsed(text: str) -> Plan:
    # Each claim asks for the plan.
    return Plan(**yaml.safe_load(text))
