"""The host's browser without a window, on a page of ours: how it is started, and what draws in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Error, sync_playwright

from .serving import PAGE, Site, serving

LOADED_SECONDS = 240.0
"""For a page or a bundle: software that draws needs seconds for what a GPU does at once, on a busy machine more."""

ALONE = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-gpu-watchdog"]
"""Nothing is fetched but from the page's own server."""

IN_SOFTWARE = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
SOFTWARE = re.compile(r"swiftshader|llvmpipe|software|basic render", re.IGNORECASE)


class NoBrowser(Exception):
    """The browser did not start, or cannot draw; the text says why."""


@dataclass(frozen=True)
class Browser:
    """A browser that runs: its version, and what draws in it, in its own words."""

    running: Any
    site: Site
    version: str
    renderer: str

    @property
    def in_software(self) -> bool:
        """Whether the processor draws, for want of a GPU."""
        return bool(SOFTWARE.search(self.renderer))

    @contextmanager
    def page(self) -> Iterator[Any]:
        """Our page in a tab of its own."""
        page = self.running.new_page()
        try:
            page.set_default_timeout(LOADED_SECONDS * 1_000)
            page.goto(self.site.address + PAGE.name)
            page.wait_for_function("window.ready")
            yield page
        finally:
            page.close()


@contextmanager
def browsing(program: str) -> Iterator[Browser]:
    """The browser with its GPU, or where it finds none, drawing in software; `NoBrowser` if it does not start."""
    with sync_playwright() as driver, serving() as site:
        for flags in ([], IN_SOFTWARE):
            running = _launched(driver, program, [*ALONE, *flags])
            try:
                browser = Browser(running, site, str(running.version), _renderer(running, site))
                if browser.renderer and (flags or not browser.in_software):
                    yield browser
                    return
            finally:
                running.close()
    raise NoBrowser(f"{program} has no WebGL, neither on a GPU nor in software.")


def _launched(driver: Any, program: str, flags: list[str]) -> Any:
    # Chromium's sandbox does not work for root, and nobody else should do without it.
    sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
    try:
        return driver.chromium.launch(executable_path=program, args=flags, chromium_sandbox=sandbox)
    except Error as cause:
        raise NoBrowser(f"{program} does not start: {_words(cause)}") from cause


def _renderer(running: Any, site: Site) -> str:
    """What draws WebGL; empty if nothing does."""
    try:
        with Browser(running, site, "", "").page() as page:
            return str(page.evaluate("renderer()"))
    except Error as cause:
        raise NoBrowser(f"The browser does not load a page: {_words(cause)}") from cause


def _words(cause: Error) -> str:
    """The first lines of an error; a call log follows that helps nobody."""
    return str(cause.message).split("Call log:", 1)[0].strip()[:500]
