"""A real browser without a screen, driven through two pipes (the DevTools protocol), and what it complains of."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 60.0
FLAGS = (
    "--headless",
    "--no-sandbox",  # the page is our own, and root has no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    "about:blank",
)
# Chromium reads commands from descriptor 3 and answers on 4.
LAUNCHER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def _find_browser() -> str | None:
    """The program, if this host has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page; `complaints` are what the console, the network and the content policy said against it."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._last, self._session, self._pending = 0, "", b""
        self.complaints: list[str] = []
        self.asked_for: list[str] = []
        self._events: list[dict[str, Any]] = []
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, path: Path, *, dark: bool = False, width: int = 1280) -> None:
        """Show a file from disk, in a window of that width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._events.clear()
        self.command("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._next()

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of what it promises."""
        answer = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"])[:1_000])
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._back], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self._back, 1 << 16) if ready else b""
            if not data:
                raise RuntimeError("the browser has ended" if ready else f"the browser said nothing for {SECONDS} s")
            self._pending += data
        text, _, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._note(message)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        method, params = event["method"], event["params"]
        if method == "Runtime.consoleAPICalled":
            self.complaints.append(f"console: {params['args']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(f"exception: {params['exceptionDetails']}")
        elif method == "Log.entryAdded":
            self.complaints.append(f"log: {params['entry']['text']}")
        elif method == "Network.requestWillBeSent":
            self.asked_for.append(params["request"]["url"])


@contextlib.contextmanager
def browser_tab(program: str, profile: Path) -> Iterator[Tab]:
    """A browser with a new profile and one tab, ended afterwards."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    given = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (theirs_in, theirs_out)]
    command = [sys.executable, "-c", LAUNCHER, *map(str, given), program, f"--user-data-dir={profile}", *FLAGS]
    process = subprocess.Popen(command, pass_fds=given, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for each in (theirs_in, theirs_out, *given):
        os.close(each)
    try:
        yield Tab(ours_out, ours_in)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)


def browser_or_skip() -> str:
    """The program; without one a loud skip, or with ENVGUARD_TEST_BROWSER=required, as `.ci/run` sets it, a failure."""
    program = _find_browser()
    if program is None:
        why = "NO BROWSER HERE. On Debian: apt install chromium-headless-shell"
        if os.environ.get("ENVGUARD_TEST_BROWSER") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return program


@pytest.fixture(scope="session")
def browser() -> str:
    """The program of a browser, or a loud skip."""
    return browser_or_skip()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A tab of the browser, or a loud skip."""
    program = browser_or_skip()
    with browser_tab(program, tmp_path_factory.mktemp("profile")) as tab:
        yield tab
