"""Ask programs which Python they are: isolated, within a time limit, and without trusting them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envguard.host.interpreters import InterpreterFacts, ProbeProblem
from envguard.host.printable import one_line
from envguard.system.groups import FLAGS, Group

SOURCE = Path(__file__).with_name("probe_script.py").read_text(encoding="utf-8")
PROBE_DIGEST = hashlib.sha256(SOURCE.encode()).hexdigest()

# -I ignores the host's Python configuration; -S also what the interpreter's own site-packages would run at start-up
# (sitecustomize, .pth files), and makes a copied virtual environment answer for its base.
ISOLATED = ("-I", "-S")
_ISOLATED_BEFORE_3_4 = ("-E", "-s", "-S")

# The only variables that a child sees; others could change its answer.
_VARIABLES = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP")

_OUTPUT_LIMIT = 64 * 1024
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class ProbeFailure:
    """A probe without an answer: the kind of problem, a sentence about it, the exit code and what was printed."""

    problem: ProbeProblem
    reason: str
    exit_code: int | None = None
    said: str = ""


def probe_all(
    targets: Iterable[Path], environ: Mapping[str, str], *, timeout: float, keep: tuple[str, ...] = ()
) -> dict[Path, InterpreterFacts | ProbeFailure]:
    """Start every target once, in parallel; `timeout` is in seconds for each.

    Targets see PATH and the variables that the operating system needs, plus those named in `keep`. They run in an empty
    folder, in their own process group, without input.
    """
    everything = list(targets)
    if not everything:
        return {}
    variables = {name: environ[name] for name in (*_VARIABLES, *keep) if name in environ}
    with (
        tempfile.TemporaryDirectory(prefix="envguard-probe-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(max_workers=_AT_ONCE) as pool,
    ):
        try:
            outcomes = pool.map(lambda target: probe(target, variables, Path(folder), timeout), everything)
            return dict(zip(everything, outcomes, strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def probe(target: Path, variables: Mapping[str, str], folder: Path, timeout: float) -> InterpreterFacts | ProbeFailure:
    """Ask one program; whatever goes wrong is returned as a ProbeFailure, nothing is raised."""
    deadline = time.monotonic() + timeout
    outcome = _ask(target, ISOLATED, variables, folder, deadline)
    if isinstance(outcome, ProbeFailure) and outcome.exit_code == 2 and "Unknown option: -I" in outcome.said:
        outcome = _ask(target, _ISOLATED_BEFORE_3_4, variables, folder, deadline)
    if isinstance(outcome, ProbeFailure) and outcome.problem == "hang":
        return ProbeFailure("hang", f"It did not answer within {timeout:g} seconds. Start it by hand to see why.")
    return outcome


def unstartable(target: Path) -> ProbeFailure | None:
    """Why a file cannot be started, judged by its name and mode."""
    try:
        is_folder = target.is_dir()
        target.stat()
    except FileNotFoundError:
        if target.is_symlink():
            gone = one_line(os.path.realpath(target))
            return ProbeFailure(
                "dangling link", f"A link to {gone}, which does not exist: delete it, or reinstall that."
            )
        return ProbeFailure("missing", "This installation contains no interpreter: complete or remove it.")
    except (OSError, RuntimeError) as error:  # RuntimeError: a link loop, before Python 3.13
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
            return ProbeFailure("link loop", "A link that leads back to itself: delete it.")
        return ProbeFailure("not executable", f"It cannot be read ({error.strerror}): check the permissions.")
    if is_folder:
        return ProbeFailure("folder", "A folder, not a program.")
    if not os.access(target, os.X_OK):
        return ProbeFailure("not executable", "It is not executable: run `chmod +x` on it if it is a program.")
    return None


def _ask(
    target: Path, flags: tuple[str, ...], variables: Mapping[str, str], folder: Path, deadline: float
) -> InterpreterFacts | ProbeFailure:
    # Markers that nobody can know in advance, so that neither noise nor an echo of the command passes for an answer.
    begin, end = secrets.token_hex(16), secrets.token_hex(16)
    try:
        process = subprocess.Popen(
            [target, *flags, "-c", SOURCE, begin, end],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(variables),
            cwd=folder,
            start_new_session=True,
            creationflags=FLAGS,
        )
        group = Group(process)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return ProbeFailure("not a program", "The program named in its first line (#!) does not exist.")
        return ProbeFailure("not a program", f"The operating system cannot start it ({error.strerror}).")
    listener = _Listener(process, end.encode())
    try:
        output = listener.listen(deadline)
        return answer_in(output, begin.encode(), end.encode()) or _why_none(process, listener, deadline)
    finally:
        _end(process, group)
        listener.close()


class _Listener:
    """Reads what a process prints until a given text appears, there is too much of it, or it ends."""

    def __init__(self, process: subprocess.Popen[bytes], until: bytes) -> None:
        assert process.stdout is not None
        self._pipe = process.stdout
        self._until = until
        self.output = bytearray()
        # A thread, because a grandchild that left the process group can keep the pipe open forever.
        self._thread = threading.Thread(target=self._read, daemon=True)

    def listen(self, deadline: float) -> bytes:
        """What was printed until the deadline (`time.monotonic` seconds)."""
        self._thread.start()
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return bytes(self.output)

    @property
    def flooded(self) -> bool:
        """Whether more was printed than any answer needs."""
        return len(self.output) > _OUTPUT_LIMIT

    def close(self) -> None:
        """Close the pipe, unless somebody still holds its other end: then the thread keeps waiting, harmlessly."""
        self._thread.join(0.2)
        if not self._thread.is_alive():
            self._pipe.close()

    def _read(self) -> None:
        while self._until not in self.output and not self.flooded:
            piece = os.read(self._pipe.fileno(), _OUTPUT_LIMIT)
            if not piece:
                return
            self.output += piece


def _end(process: subprocess.Popen[bytes], group: Group) -> None:
    """Kill a process and everything it started."""
    group.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    group.close()


def answer_in(output: bytes, begin: bytes, end: bytes) -> InterpreterFacts | None:
    """The answer of the probe script between its markers, if there is a valid one."""
    _, opened, rest = output.partition(begin)
    answer, closed, _ = rest.partition(end)
    if not (opened and closed):
        return None
    try:
        return InterpreterFacts.from_json(json.loads(answer))
    except ValueError:
        return None


def _why_none(process: subprocess.Popen[bytes], listener: _Listener, deadline: float) -> ProbeFailure:
    """What a process did instead of answering."""
    if listener.flooded:
        return ProbeFailure("flood", "It printed far more than the answer of a Python.")
    try:
        code = process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return ProbeFailure("hang", "")
    said = listener.output.decode("utf-8", "replace")
    if code < 0:
        return ProbeFailure("signal", f"It was killed by {_signal_name(-code)}: reinstall this Python.", code, said)
    if code == 0:
        return ProbeFailure("junk", f"It did not answer like a Python{_quoted(_last_line(said))}.", code, said)
    module = re.search(r"No module named '?([\w.]+)", said)
    if module:
        reason = f"Its standard library lacks {module[1]}: install the full Python (Debian: python3, not -minimal)."
        return ProbeFailure("incomplete", reason, code, said)
    library = re.search(r"error while loading shared libraries: ([^:\n]+)", said)
    if library:
        reason = f"It cannot find {one_line(library[1])} without LD_LIBRARY_PATH, which steps never see: "
        return ProbeFailure("missing library", reason + "build it with an rpath, or use another Python.", code, said)
    return ProbeFailure("exit", f"It ended with exit code {code}{_quoted(_first_line(said))}.", code, said)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _last_line(text: str) -> str:
    return _first_line("\n".join(reversed(text.splitlines())))


def _quoted(line: str) -> str:
    shown = one_line(line.strip(), 160)
    return f" ({shown})" if shown else ""
