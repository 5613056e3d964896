"""An edition is put into a catalog's text, and every other character of it stays."""

from __future__ import annotations

import pytest

from envguard.catalog.shipped import BUILTIN
from envguard.catalog.writing import NewEdition, with_edition, written_edition
from envguard.errors import BadInput
from envguard.toml import parse_toml

CATALOG = """\
# Ours.
schema = 1

[environments.tools]   # several
summary = '''
[environments.tools.editions.1]
# not a table'''
pythons = ["3.11"]
nested = [
  [1, 2],
[
  3]
]

# The one that is proved.
[environments.tools.editions.1]
requirements = ["a==1"] # keep

[environments.tools.editions.1.optional-system-libraries]
purpose = "x"

# Another environment.
[environments.other.editions."1.0"]
requirements = []

# The end.
"""
NEW = NewEdition("tools", "2.0", {"requirements": ["a==2"]}, "Found.", "1", before=True)
BLOCK = '# Found.\n[environments.tools.editions."2.0"]\nrequirements = ["a==2"]\n'


def added(text: str, new: NewEdition = NEW) -> tuple[list[str], list[str]]:
    """The lines that are new, and those that are gone."""
    before, after = text.split("\n"), with_edition(text, new).split("\n")
    return [line for line in after if line not in before], [line for line in before if line not in after]


def test_it_stands_before_the_other_edition_and_its_comment() -> None:
    assert with_edition(CATALOG, NEW) == CATALOG.replace("# The one that", BLOCK + "\n# The one that")


def test_it_stands_after_the_other_edition_and_its_inner_tables() -> None:
    after = NewEdition("tools", "2.0", {"requirements": ["a==2"]}, "Found.", "1", before=False)
    assert with_edition(CATALOG, after) == CATALOG.replace("# Another", BLOCK + "\n# Another")


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\n# a remark", "\n# a remark\n"])
def test_it_stands_at_the_end_of_the_file(end: str) -> None:
    text = '[environments.tools.editions.1]\nrequirements = ["a==1"]' + end
    after = NewEdition("tools", "2.0", {"requirements": ["a==2"]}, "Found.", "1", before=False)
    written = with_edition(text, after)
    assert written.startswith(text.rstrip("\n") + "\n\n" + BLOCK)
    assert written.strip().endswith('requirements = ["a==2"]')


def test_ends_of_lines_are_those_of_the_file() -> None:
    for before in (True, False):
        new = NewEdition("other", "2.0", {"requirements": ["a==2"]}, "Found.", "1.0", before=before)
        written = with_edition(CATALOG.replace("\n", "\r\n"), new)
        assert written.replace("\r\n", "").count("\n") == 0
        assert written.replace("\r\n", "\n") == with_edition(CATALOG, new)


def test_every_value_is_read_back_as_it_was() -> None:
    values = {
        "offered": False,
        "requirements": ["a==2 ; python_version < '3.11'", 'b[x]>="1"\\'],
        "overrides": [f"package-of-a-long-name-{number}==1 ; python_version < '0'" for number in range(9)],
        "optional-system-libraries": {"purpose": "to draw", "packages": {"libgl1": "a.so.1", "lib stdc++": "é"}},
    }
    text = with_edition(CATALOG, NewEdition("tools", "new one", values, "Found.", "1", before=True))
    assert written_edition(text, "tools", "new one") == values
    assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize(
    "editions",
    [
        '[environments.tools]\neditions.1.requirements = ["a==1"]\n',
        '[environments.tools]\neditions = { 1 = { requirements = ["a==1"] } }\n',
        '[environments.tools.editions]\n1 = { requirements = ["a==1"] }\n',
    ],
)
def test_an_edition_that_is_not_a_table_of_its_own_is_refused(editions: str) -> None:
    with pytest.raises(BadInput, match=r"beside tools 1\.") as refused:
        with_edition(editions, NEW)
    assert "[environments.tools.editions.1]" in refused.value.why
    with pytest.raises(BadInput):
        written_edition(editions, "tools", "1")


def test_envguards_own_catalog_has_a_place_beside_every_edition() -> None:
    text = BUILTIN.read_text(encoding="utf-8")
    environments = parse_toml(text)["environments"]
    assert isinstance(environments, dict)
    for name, environment in environments.items():
        for edition in environment["editions"]:
            for before in (True, False):
                values = written_edition(text, name, edition)
                new, gone = added(text, NewEdition(name, "new", values, "Found.", edition, before=before))
                assert "# Found." in new
                assert gone == []
