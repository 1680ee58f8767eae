"""Claims bind a sentence to its record; where that fails, an error names the claim."""

import re
from pathlib import Path

import pytest

from iqa.errors import UserError
from iqa.experiments.analysis_plan import read_plan
from iqa.report import claims, show
from iqa.report.claims import Claim, judge, read_claims, signed

CLAIMS = read_claims()


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_still_has_the_verdict_that_its_sentence_takes_for_granted(name):
    judged = judge(name)
    assert judged.verdict == CLAIMS[name].expected, judged.sentence
    assert "{" not in judged.sentence
    assert signed(judged.difference) in judged.sentence


def test_every_claim_is_used_and_every_claim_used_is_there():
    used = set()
    for page in Path("book").glob("*.md"):
        for call in re.findall(r"show\.claim\(([^)]*)\)", page.read_text()):
            used |= set(re.findall(r'"([^"]+)"', call))
    assert used == set(CLAIMS)


def test_a_claim_that_the_plan_judges_otherwise_shows_both_verdicts(monkeypatch):
    judged = judge("sigmoid-paper-clive")
    assert judged.planned == judge("plan-paper-clive").verdict
    assert judge("gate-sigmoid-clive").planned is None
    differs = judged.model_copy(update={"verdict": "better", "planned": "undecided"})
    monkeypatch.setattr(show, "judge", lambda name: differs)
    assert "better; in the plan: undecided" in show.claim("a").data


MEASURED = re.compile(r"(?<![\w.])[+−-]?0?\.\d{2,}\b|\bp [<=] ?\.\d")
SETTINGS = {
    "below .05": "the level of the tests",
    "within .01 SRCC": "the margin of equivalence",
    ".01–.05": "what squeezed targets are",
    ".01 to .05": "what squeezed targets are",
    ".88 and .12": "where two gates start",
    "a = 0.25": "where the slope of the gate's leaky ReLU starts",
}
"""Numbers that look measured and are thresholds or settings, each with what it is."""

PAGES = sorted(Path("book").glob("*.md"))


def prose(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    # A table of the paper's is not measured here.
    return " ".join(" ".join(line for line in text.splitlines() if "|" not in line).split())


def test_a_claim_that_names_a_question_of_the_plan_has_its_verdict():
    named = {name: one.question for name, one in CLAIMS.items() if one.question}
    assert set(named.values()) <= set(read_plan().questions)
    assert all(judge(name).planned for name in named)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_measured_number_is_typed_into_prose(page):
    text = prose(page)
    for setting in SETTINGS:
        text = text.replace(setting, "")
    assert not [text[max(0, one.start() - 40) : one.end() + 20] for one in MEASURED.finditer(text)]


def test_what_is_called_a_setting_is_on_a_page():
    every = " ".join(map(prose, PAGES))
    assert not [setting for setting in SETTINGS if setting not in every]


def write(tmp_path, monkeypatch, text):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/claims.yaml").write_text(text)
    monkeypatch.setattr(claims, "project_root", lambda: tmp_path)


GOOD = "a: {says: s, run: r, estimand: heads, of: {head: x}, minus: {head: y}, expected: better}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("heads", "haeds", "claim a: unknown estimand 'haeds': choose one of heads"),
        ("better", "good", "claim a: expected: Input should be 'better'"),
        ("run: r,", "", "claim a: run: Field required"),
    ],
)
def test_a_faulty_claim_is_named(tmp_path, monkeypatch, old, new, said):
    write(tmp_path, monkeypatch, GOOD.replace(old, new))
    with pytest.raises(UserError, match=said):
        read_claims()


def test_a_claim_of_the_plan_without_its_record_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr("iqa.report.records.project_root", lambda: tmp_path)
    judge.cache_clear()
    claims.plan_answers.cache_clear()
    with pytest.raises(UserError, match="the record learning_rates-clive is missing: iqa run"):
        judge("plan-paper-clive")
    claims.plan_answers.cache_clear()


def test_a_claim_without_its_record_says_how_to_make_it(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, GOOD)
    monkeypatch.setattr("iqa.report.records.project_root", lambda: tmp_path)
    judge.cache_clear()
    with pytest.raises(UserError, match="the record r is missing: iqa run r --profile long"):
        judge("a")
    judge.cache_clear()
    assert Claim(**next(iter(read_claims().values())).model_dump()).expected == "better"
