"""`--report`: which files it means, and how they are written: Markdown, or a page with the JSON document beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from envguard.errors import BadInput
from envguard.files import write_output
from envguard.models.model_files import Model, check_report
from envguard.payload.contract import QuantizeDocument, SeveralDocument, to_json
from envguard.running.checking_files import check_output_folder

PAGE = "report.html"
PAGE_REPORT = "page"
"""What the task calls it among its reports."""

DATA = "report.json"
SUFFIXES = (".html", ".htm")


def is_page(report: Path) -> bool:
    """Whether one page is meant."""
    return report.suffix.lower() in SUFFIXES and not report.is_dir()


def is_folder(report: Path) -> bool:
    """Whether a folder for pages is meant: it exists, or has a name that no file would have."""
    return report.is_dir() or (not report.suffix and not report.exists())


def is_markdown(report: Path) -> bool:
    """Whether one Markdown file is meant, as by any other name."""
    return not is_page(report) and not is_folder(report)


def with_pages(models: Mapping[str, Model], report: Path | None) -> dict[str, Model]:
    """The models with the places of their pages, if pages are meant; raises BadInput for what cannot be written.

    Of a folder, one model gets `report.html`, several get `NAME.html` each.
    """
    if report is None:
        return dict(models)
    if is_markdown(report):
        check_report(report, list(models.values()))
        return dict(models)
    if is_folder(report):
        check_output_folder(report.absolute())
    elif len(models) > 1:
        raise BadInput(
            f"The page {report} can only report on one model, not on {len(models)}.",
            next_step="Name a folder with --report to get a page for each, or a .md file for a table of all.",
        )
    pages = _pages(list(models.values()), report.absolute())
    for page in pages if is_page(report) or report.is_dir() else ():
        for path in (page, data_beside(page)):
            check_report(path, list(models.values()))
    return {name: replace(model, page=page) for (name, model), page in zip(models.items(), pages, strict=True)}


def data_beside(page: Path) -> Path:
    """Where the JSON document of a page goes."""
    return page.with_suffix(".json")


def write_markdown(report: Path | None, markdown: str) -> None:
    """Write the Markdown, if that is what the report is to be."""
    if report is not None and is_markdown(report):
        write_output(report.absolute(), markdown.encode(errors="backslashreplace"))


def write_folder_data(report: Path | None, document: SeveralDocument) -> None:
    """Write the document of several models into the folder, if one is meant."""
    if report is not None and is_folder(report):
        report.mkdir(exist_ok=True)
        write_output(report.absolute() / DATA, _as_file(document))


def write_data(page: Path, document: QuantizeDocument) -> None:
    """Write the document beside its page."""
    page.parent.mkdir(exist_ok=True)
    write_output(data_beside(page), _as_file(document))


def _as_file(document: QuantizeDocument | SeveralDocument) -> bytes:
    return (json.dumps(to_json(document), indent=2) + "\n").encode()


def _pages(models: Sequence[Model], report: Path) -> list[Path]:
    if not is_folder(report):
        return [report]
    if len(models) == 1:
        return [report / PAGE]
    pages: list[Path] = []
    for model in models:
        page, number = report / f"{model.source.name}.html", 2
        while page in pages or data_beside(page) == report / DATA:
            page, number = report / f"{model.source.name}-{number}.html", number + 1
        pages.append(page)
    return pages
