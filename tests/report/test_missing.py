"""Pages of committed runs that have no record yet."""

import pytest

from iqa.report.missing import say_not_run, without_runs

PAGE = """# Title

```{include} _generated/human/there/srcc.md
```

:::{dropdown} The table
```{include} _generated/human/gone/srcc.md
```
:::

```{figure} _generated/human/gone/intervals.svg
:class: figure-wide
A caption with `code`.
```

```{figure} _generated/human/gone-too/intervals.svg
Another run.
```

```bash
iqa score
```
"""


def test_every_figure_of_a_missing_run_gives_way_to_a_line_that_names_it():
    page = without_runs(PAGE, ["gone"])
    assert page.count("*Not run: there is no record of `gone`.*") == 2
    assert "human/gone/" not in page
    assert "A caption" not in page
    assert ":::{dropdown} The table\n*Not run: there is no record of `gone`.*\n:::" in page


def test_runs_that_are_there_and_other_blocks_stay():
    page = without_runs(PAGE, ["gone"])
    assert "```{include} _generated/human/there/srcc.md\n```" in page
    assert "```{figure} _generated/human/gone-too/intervals.svg\nAnother run.\n```" in page
    assert "```bash\niqa score\n```" in page


def test_notes_on_one_run_that_follow_each_other_are_said_once():
    block = "```{include} _generated/human/gone/a.md\n```\n\n"
    assert without_runs(3 * block + "Text.\n", ["gone"]).count("Not run") == 1


@pytest.mark.parametrize("labels", [[], ["elsewhere"]])
def test_where_nothing_is_missing_a_page_stays_as_it_is(tmp_path, labels):
    (tmp_path / "page.md").write_text(PAGE)
    say_not_run(tmp_path, labels)
    assert (tmp_path / "page.md").read_text() == PAGE
