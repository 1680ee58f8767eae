from collections import Counter

from iqa.files import project_root


def test_no_two_modules_of_the_package_have_one_name():
    files = (project_root() / "iqa").rglob("*.py")
    names = [p.parent.name if p.stem == "__init__" else p.stem for p in files]
    assert [name for name, times in Counter(names).items() if times > 1] == []
