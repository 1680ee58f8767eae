"""The analysis plan and its answers."""

import numpy as np
import pandas as pd
import pytest
import yaml

from iqa.datasets import info
from iqa.errors import UserError
from iqa.experiments import analysis_plan
from iqa.experiments.analysis_plan import PLAN, Plan, read_plan
from iqa.experiments.profile import read_profile
from iqa.report import plan as answers_of
from iqa.report.estimands import named
from iqa.report.plan import NOT_RUN, answers, over_sets

PLANNED = read_plan()


def test_every_question_names_an_estimand_and_runs_that_a_profile_makes():
    made = {spec.label for name in ("cpu", "long") for spec in read_profile(name).runs}
    for question in PLANNED.questions.values():
        assert named(question.estimand)
        assert set(question.runs) <= made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"estimand": "rattes"}, "unknown estimand 'rattes': choose one of"),
        ({"estimand": "transfer to clivee"}, "unknown dataset 'clivee'"),
        ({"runs": ["learning_rates-clivee"]}, "unknown run of the plan's question 'q'"),
        ({"of": {"hed": "sigmoid"}}, "'q': learning_rates-clive lacks 'hed'"),
        ({"of": {"head": "sigmoid"}}, "2 answers in learning_rates-clive; complete `of`"),
        ({"estimand": "protocols"}, "learning_rates-clive lacks .*'protocol'.* see the estimand"),
    ],
)
def test_a_question_that_cannot_be_asked_is_named(change, said):
    question = next(iter(PLANNED.questions.values())).model_copy(update=change)
    with pytest.raises(UserError, match=said):
        answers(PLANNED.model_copy(update={"questions": {"q": question}}))
    assert info("clive")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{written: today}", "results/plan.yaml: written"),
        ("[", "results/plan.yaml cannot be read"),
        ("", "results/plan.yaml cannot be read"),
    ],
)
def test_a_damaged_plan_is_named(text, said, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / PLAN).write_text(text)
    monkeypatch.setattr(analysis_plan, "project_root", lambda: tmp_path)
    with pytest.raises(UserError, match=said):
        read_plan()


def test_the_mark_changes_with_what_judges_and_not_with_words():
    fields = yaml.safe_load(PLANNED.model_dump_json())
    name = next(iter(fields["questions"]))
    fields["questions"][name]["asks"] = "Otherwise worded?"
    fields["exploratory"] = []
    assert Plan(**fields).mark == PLANNED.mark
    fields["questions"][name]["runs"].pop()
    assert Plan(**fields).mark != PLANNED.mark
    assert PLANNED.model_copy(update={"margin": 0.02}).mark != PLANNED.mark


def test_a_record_that_is_missing_is_a_question_that_is_not_answered():
    question = next(iter(PLANNED.questions.values()))
    asked = question.model_copy(update={"runs": [question.runs[0], "heads_adapted_fast-clive"]})
    table = answers(PLANNED.model_copy(update={"questions": {"q": asked}}))
    assert table["verdict"].tolist()[1] == NOT_RUN
    assert table["p_holm"][0] == pytest.approx(2 * table["p"][0])  # both count
    half = (table["high"][0] - table["low"][0]) / 2
    assert table["detectable"][0] == pytest.approx(half * (1 + 0.8416 / 1.96), rel=1e-3)


@pytest.mark.parametrize("differences", [[0.01, 0.03, 0.02], [0.01, 0.15, -0.06]])
def test_over_sets_is_a_weighted_mean_with_the_t_of_its_weights(differences):
    rows = pd.DataFrame({"question": "q", "difference": differences})
    half = np.array([0.02, 0.04, 0.03])
    table = over_sets(rows.assign(low=rows["difference"] - half, high=rows["difference"] + half))
    (found,) = table.itertuples()
    weights = 1 / ((half / 1.959964) ** 2 + found.between**2)
    assert found.difference == pytest.approx(np.average(differences, weights=weights))
    # 4.303 is the 97.5 % point of t with two degrees of freedom.
    assert found.high - found.difference == pytest.approx(4.303 / weights.sum() ** 0.5, rel=1e-3)
    assert found.sets == 3
    assert (found.between > 0) == (differences[1] == 0.15)


def test_without_an_interval_there_is_nothing_over_sets():
    assert over_sets(pd.DataFrame({"question": ["q"] * 3, "low": np.nan})).empty


def test_what_would_settle_an_undecided_answer():
    # A standard error of .01: to find .01 with power .8 at 5 % takes (1.96 + .84)^2 = 7.85 times
    # as many images, to find .02 a quarter of that.
    rows = pd.DataFrame({"difference": [0.004, -0.02, 0.05, np.nan], "p": [0.3, 0.2, 0.1, np.nan]})
    rows["low"], rows["high"] = rows["difference"] - 0.0196, rows["difference"] + 0.0196
    rows["verdict"] = ["undecided", "undecided", "better", NOT_RUN]
    assert answers_of._settled_by(rows[:1], PLANNED) == ["8 x"]
    # Four were asked: 2.50 in the place of 1.96.
    assert answers_of._settled_by(rows, PLANNED) == ["12 x", "3 x", "–", "–"]
