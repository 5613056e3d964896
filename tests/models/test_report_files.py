"""Which files `--report` means: a page with its document, a folder of them, or Markdown; never one of the run's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.models.model_files import Model
from envguard.models.report_files import data_beside, is_markdown, with_pages


def models_of(folder: Path, *names: str) -> dict[str, Model]:
    found = {}
    for name in names:
        source = folder / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.touch()
        found[name] = Model(str(source), source, source.with_name(f"{source.stem}.int8{source.suffix}"))
    return found


def pages_of(models: dict[str, Model], report: Path | None) -> list[Path | None]:
    return [model.page for model in with_pages(models, report).values()]


def test_without_a_report_there_is_no_page(tmp_path: Path) -> None:
    assert pages_of(models_of(tmp_path, "a.task"), None) == [None]


@pytest.mark.parametrize("name", ["report.md", "report.markdown", "report.txt", "report.html.md"])
def test_any_other_file_is_markdown(tmp_path: Path, name: str) -> None:
    assert is_markdown(tmp_path / name)
    assert pages_of(models_of(tmp_path, "a.task"), tmp_path / name) == [None]


@pytest.mark.parametrize("name", ["report.html", "report.HTM", "a b.html"])
def test_a_page_has_its_document_beside_it(tmp_path: Path, name: str) -> None:
    page = tmp_path / name
    assert pages_of(models_of(tmp_path, "a.task"), page) == [page]
    assert data_beside(page) == tmp_path / f"{page.stem}.json"


def test_a_folder_that_is_there_or_not_gets_report_html(tmp_path: Path) -> None:
    (tmp_path / "there.html").mkdir()
    for folder in (tmp_path / "there.html", tmp_path / "not-there"):
        assert pages_of(models_of(tmp_path, "a.task"), folder) == [folder / "report.html"]
    assert not (tmp_path / "not-there").exists()


def test_of_several_models_each_gets_a_page_of_its_own(tmp_path: Path) -> None:
    models = models_of(tmp_path, "x/a.task", "y/a.task", "y/b.tflite", "report")
    pages = pages_of(models, tmp_path / "out")
    names = ["a.task.html", "a.task-2.html", "b.tflite.html", "report-2.html"]
    assert pages == [tmp_path / "out" / name for name in names]


def test_one_page_cannot_be_that_of_several(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can only report on one model, not on 2"):
        pages_of(models_of(tmp_path, "a.task", "b.task"), tmp_path / "out.html")


@pytest.mark.parametrize(
    "name", ["model.html", "model.int8.html", "model.int8.html.receipt.html", "data.htm", "deep/er/report.html"]
)
def test_what_belongs_to_the_run_is_never_written_over(tmp_path: Path, name: str) -> None:
    models = models_of(tmp_path, "model.html", "data.json")
    one = {"model": models["data.json" if name.startswith("data") else "model.html"]}
    with pytest.raises(BadInput):
        pages_of(one, tmp_path / name)


def test_a_folder_is_not_made_in_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        pages_of(models_of(tmp_path, "a.task"), tmp_path / "no" / "reports")
