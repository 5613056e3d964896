"""The site: laid out by its own environment without a complaint, whole, and of its own files alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.pages import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.network]

FETCHED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
IN_STYLE = re.compile(r"@import|url\(\s*[\"']?(?:https?:)?//")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the site is made of, in a folder where it can be spoilt."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(CHECKOUT / "docs", folder / "docs")
    shutil.copy(CHECKOUT / "mkdocs.yml", folder)
    return folder


def test_the_site_is_laid_out_strictly_and_fetches_nothing(checkout: Path, store_home: Path) -> None:
    built = envguard("exec", "docs", "--", "mkdocs", "build", "--strict", home=store_home, cwd=checkout)
    assert built.code == 0, built.err
    site = checkout / "build" / "site"
    pages = {page.stem for page in site.glob("*.html")}
    assert pages >= {page.stem for page in (checkout / "docs").glob("*.md")}
    assert (site / "catalog.schema.json").is_file()
    for page in site.glob("*.html"):
        assert not FETCHED.findall(page.read_text(encoding="utf-8")), page.name
    for style in site.rglob("*.css"):
        assert not IN_STYLE.findall(style.read_text(encoding="utf-8")), style.name


@pytest.mark.parametrize("link", ["nowhere.md", "commands.md#envguard-nothing", "../README.md"])
def test_a_broken_link_stops_it(checkout: Path, store_home: Path, link: str) -> None:
    page = checkout / "docs" / "spoilt.md"
    page.write_text(f"[broken]({link})\n", encoding="utf-8")
    settings = checkout / "spoilt.yml"
    settings.write_text(
        (checkout / "mkdocs.yml").read_text(encoding="utf-8") + "  - Spoilt: spoilt.md\n", encoding="utf-8"
    )
    build = ("mkdocs", "build", "--strict", "-f", settings.name, "-d", "spoilt")
    spoilt = envguard("exec", "docs", "--", *build, home=store_home, cwd=checkout)
    page.unlink()
    assert spoilt.code == 1
    assert link in spoilt.err + spoilt.out
