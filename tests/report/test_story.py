"""The page of what works is made from the recorded proofs, and the one in the documentation is up to date."""

from __future__ import annotations

from pathlib import Path

from envguard.catalog import builtin_catalog
from envguard.cli.diagnosis.known_causes import cause_of
from envguard.locks.platforms import Platform
from envguard.report.matrix import matrix_of
from envguard.report.story import story_markdown
from envguard.running.environments.recorded import recorded_locks, recorded_proofs

NOW = "2026-11-26T00:00:00Z"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "what-works.md"


def story(*names: str) -> str:
    environments = [builtin_catalog().environments[name] for name in names]
    known = [(each, recorded_locks(each), recorded_proofs(each)) for each in environments]
    return story_markdown(matrix_of(known, Platform("linux-x86_64", "glibc"), NOW), cause_of)


def test_the_documentations_page_is_what_the_proofs_say() -> None:
    again = "`envguard matrix quantize verify --story > docs/what-works.md` on 64-bit Linux regenerates it"
    assert PAGE.read_text(encoding="utf-8") == story("quantize", "verify"), again


def test_every_cell_that_is_no_has_its_reason_in_the_tools_own_words_and_in_ours() -> None:
    page = story("quantize")
    assert "| no (1) |" in page
    assert "1. **0.10 on Python 3.9**: The requested version needs a newer Python than this one: >=3.10." in page
    assert "deleted from PyPI" in page
    assert "no version of tf-nightly==" in page


def test_where_nothing_is_recorded_nothing_is_claimed() -> None:
    environment = builtin_catalog().environments["quantize"]
    matrix = matrix_of([(environment, recorded_locks(environment), {})], Platform("linux-x86_64", "glibc"), NOW)
    page = story_markdown(matrix, cause_of)
    assert "works |" not in page
    assert "not tried (1)" in page
