"""A tool's words are kept as they are, but for what belongs to one host."""

from __future__ import annotations

import pytest

from envguard.locks.resolver import blames_packages
from envguard.locks.tool_words import LONGEST, literal_words

UNSOLVABLE = (
    "error: No solution found when resolving dependencies\n"
    "  cause: Because there is no version of one==2 and you require one==2,\n"
    "         we can conclude that your requirements are unsatisfiable.\n\n"
    "hint: try something else\n"
)


def test_the_words_stay_and_the_layout_goes() -> None:
    assert literal_words(UNSOLVABLE) == (
        "No solution found when resolving dependencies: Because there is no version of one==2 and you require one==2, "
        "we can conclude that your requirements are unsatisfiable."
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("failed to fetch `https://user:secret@index.example/simple/one/`", "failed to fetch `<address>`"),
        ('File "/home/me/env/lib/python3.11/site-packages/one.py", line 3', 'File "…/one.py", line 3'),
        (r"cannot open C:\Users\me\one.dll", "cannot open …/one.dll"),
        ("either and/or 1/2 one/two.py", "either and/or 1/2 one/two.py"),
    ],
)
def test_addresses_and_paths_of_a_host_are_not_kept(said: str, kept: str) -> None:
    assert literal_words(said) == kept


def test_long_words_keep_their_beginning_and_their_end() -> None:
    kept = literal_words("first " + "middle " * 1000 + "last")
    assert kept.startswith("first")
    assert kept.endswith("last")
    assert len(kept) <= LONGEST + 3


def test_only_what_says_something_of_the_packages_blames_them() -> None:
    assert blames_packages(UNSOLVABLE)
    assert not blames_packages("error: Failed to fetch: dns error")
    missing = "No solution found: Because one was not found in the package registry and you require one"
    assert not blames_packages(missing)
    offline = "No solution found …\nhint: Packages were unavailable because the network was disabled."
    assert not blames_packages(offline)
