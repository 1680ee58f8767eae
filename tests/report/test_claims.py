"""Every sentence of the site that concludes is recomputed from the committed records."""

import re
from pathlib import Path

import pytest

from iqa.errors import UserError
from iqa.report import claims
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


MEASURED = re.compile(r"(?<![\w.])[+−-]?0?\.\d{3,}\b|\bp [<=] ?\.\d")


@pytest.mark.parametrize("page", sorted(Path("book").glob("*.md")), ids=lambda path: path.stem)
def test_no_measured_number_is_typed_into_prose(page):
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    # Constants of a method are written 1e-4, and a table of the paper's is not measured here.
    found = [line for line in prose.splitlines() if MEASURED.search(line) and "|" not in line]
    assert not found


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


def test_a_claim_without_its_record_says_how_to_make_it(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, GOOD)
    monkeypatch.setattr("iqa.report.records.project_root", lambda: tmp_path)
    judge.cache_clear()
    with pytest.raises(UserError, match="the record r is missing: iqa run r --profile cpu"):
        judge("a")
    judge.cache_clear()
    assert Claim(**next(iter(read_claims().values())).model_dump()).expected == "better"
