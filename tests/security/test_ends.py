"""However a command is started or ended: a sentence, the right exit code, nothing left behind, and no traceback."""

from __future__ import annotations

import contextlib
import os
import pty
import runpy
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envguard.bootstrap import launcher
from envguard.store.home import environments_folder
from envguard.store.scratch import runs_folder
from tests.support.projects import trusted
from tests.support.tiny import descendants
from tests.support.waiting import wait_until, wait_until_gone
from tests.support.wheel_projects import index_of, write_wheel_project

TASK = """
[tasks.copy]
summary = "Copies a file, and waits if there is something to wait for"
output = "copy:copied"
[[tasks.copy.steps]]
name = "copy"
environment = "tools"
command = ["python", "copy.py", "{input.source}", "{output.copied}"]
inputs = { source = "task:source" }
outputs = { copied = "copied.txt" }
"""
COPY = """
import pathlib, shutil, sys
if pathlib.Path(sys.argv[1]).read_text().startswith("/"):
    open(pathlib.Path(sys.argv[1]).read_text(), "w").write("here")  # a pipe: until somebody reads it
    open(pathlib.Path(sys.argv[1]).read_text() + "-never").read()
shutil.copyfile(sys.argv[1], sys.argv[2])
"""


class Started:
    """A command that goes on: the launcher's process, as a checkout has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = write_wheel_project(folder / "project")
        with (self.project / "envguard.toml").open("a") as file:
            file.write(TASK)
        (self.project / "copy.py").write_text(COPY)
        (self.project / "in.txt").write_text("in")
        trusted(self.project)
        self.home = folder / "home"
        self.command = folder / "envguard"
        self.command.write_text(launcher())
        self.command.chmod(0o755)
        self.environ = {**os.environ, "ENVGUARD_HOME": str(self.home), **index_of(self.project)}

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the project; `envguard` is the launcher."""
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        environ = {**self.environ, "PATH": path, "D": str(self.folder)}
        return subprocess.run(["bash", "-c", line], cwd=self.project, env=environ, capture_output=True, text=True)

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [self.command, *arguments],
            cwd=self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    started = Started(tmp_path_factory.mktemp("ends"))
    ended = started.shell("envguard create tools")
    assert ended.returncode == 0, ended
    return started


def no_traceback(said: str) -> bool:
    return not any(each in said for each in ("Traceback", "Exception ignored", "itself failed", "Fatal Python error"))


NO_ROOM, NO_STREAM, GONE = "No space left on device", "Bad file descriptor", "not there any more"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("envguard list | head -c 1 >$D/head; exit ${PIPESTATUS[0]}", 0, ""),
        ("envguard list --json | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("envguard explain in.txt | true; exit ${PIPESTATUS[0]}", 1, ""),
        ("envguard list >/dev/full", 1, NO_ROOM),
        ("envguard list --json >/dev/full", 1, NO_ROOM),
        ("envguard --help >/dev/full", 1, NO_ROOM),
        ("envguard list >&-", 1, NO_STREAM),
        ("envguard explain in.txt >/dev/full", 1, NO_ROOM),
        ("envguard run copy in.txt -o $D/closed >&-; c=$?; [ -f $D/closed ] && exit $c", 1, NO_STREAM),
        ("envguard run copy in.txt -o $D/full --json >/dev/full; c=$?; [ -f $D/full ] && exit $c", 1, NO_ROOM),
        ("envguard run copy in.txt -o $D/no-errors 2>&-", 0, ""),
        ("envguard run copy in.txt -o $D/full-errors 2>/dev/full", 0, ""),
        ("envguard run copy missing -o $D/out 2>/dev/full", 2, ""),
        ("envguard run copy missing -o $D/out 2>&-", 2, ""),
        ("envguard run copy missing -o $D/out >&- 2>&-", 2, ""),
        ("envguard run copy in.txt -o $D/no-input <&-", 0, ""),
        ("envguard exec tools -- python -c 'print(1)' >&-", 0, ""),
        ("envguard run copy in.txt -o $D/nothing <&- >&- 2>&-; c=$?; [ -f $D/nothing ] && exit $c", 1, ""),
        ("envguard exec tools -- python -c 'open(\"'$D'/made\", \"w\")' <&- >&- 2>&-; [ -f $D/made ]", 0, ""),
        (
            "envguard exec tools -- sh -c 'echo lost >&2' 2>&-; grep -l lost $ENVGUARD_HOME/environments/*.use",
            1,
            "",
        ),
        ("mkdir -p $D/gone; cd $D/gone; rmdir $D/gone; envguard list", 2, GONE),
        ("mkdir -p $D/gone; cd $D/gone; rmdir $D/gone; envguard --debug list --json", 2, GONE),
        ("mkdir -p $D/gone; cd $D/gone; rmdir $D/gone; envguard exec tools -- true", 2, GONE),
        ("ENVGUARD_HOME=$PWD/in.txt envguard list", 2, "is not a folder"),
        ("ENVGUARD_HOME=$PWD/in.txt/below envguard exec tools -- true", 2, "is not a folder"),
        ("ENVGUARD_HOME=/dev/null envguard run copy in.txt -o $D/x", 2, "is not a folder"),
        ("ln -sf $D/nowhere $D/dangling; ENVGUARD_HOME=$D/dangling envguard store verify", 2, "is not a folder"),
        ("ENVGUARD_HOME=$PWD/in.txt envguard doctor", 2, "is not a folder"),
        ("ENVGUARD_HOME=/proc/x envguard create tools", 3, "cannot be created"),
    ],
)
def test_whatever_the_streams_and_folders_are(started: Started, line: str, code: int, said: str) -> None:
    ended = started.shell(line)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended
    assert no_traceback(ended.stdout + ended.stderr), ended


@pytest.mark.skipif(not launcher().startswith("#!/usr/bin/env"), reason="this env holds no signal back")
@pytest.mark.parametrize("arguments", [("list",), ("exec", "tools", "--", "true"), ("explain", "in.txt"), ("--help",)])
def test_ctrl_c_from_the_first_moment_on_is_a_sentence(started: Started, arguments: tuple[str, ...]) -> None:
    def pressed_already() -> None:  # it waits for the first who takes it, which must not be Python as it starts
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.kill(os.getpid(), signal.SIGINT)

    process = started.start(*arguments, preexec_fn=pressed_already)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "envguard: Interrupted.\n")


@pytest.mark.skipif(not launcher().startswith("#!/usr/bin/env"), reason="this command is a script of the shell")
def test_a_process_for_one_of_several_models_may_read_the_command_again(started: Started) -> None:
    """As `multiprocessing` does in each that it starts: what the file did then, every one of them did."""
    assert "main" in runpy.run_path(str(started.command), run_name="__mp_main__")


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Path]:
    """A pipe in which a step says that it is there, and one that it then reads for ever."""
    place = tmp_path / "meeting"
    os.mkfifo(place)
    os.mkfifo(f"{place}-never")
    (tmp_path / "in.txt").write_text(str(place))
    yield place
    with contextlib.suppress(OSError):  # whoever still waits may go
        os.close(os.open(f"{place}-never", os.O_WRONLY | os.O_NONBLOCK))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_ended_leaves_nothing(
    started: Started, tmp_path: Path, meeting: Path, number: signal.Signals, code: int
) -> None:
    process = started.start("run", "copy", str(tmp_path / "in.txt"), "-o", str(tmp_path / "out"))
    assert meeting.read_text() == "here"
    steps = descendants(process.pid)
    assert steps
    process.send_signal(number)
    _, err = process.communicate()
    assert (process.returncode, no_traceback(err)) == (code, True), err
    assert [each for each in steps if Path(f"/proc/{each}").exists()] == []
    assert list(runs_folder(started.home).iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_run_whose_terminal_is_closed_leaves_nothing(started: Started, tmp_path: Path, meeting: Path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(started.project)
        arguments = ["run", "copy", str(tmp_path / "in.txt"), "-o", str(tmp_path / "out")]
        os.execve(started.command, [str(started.command), *arguments], {**started.environ, "TERM": "xterm"})
    assert meeting.read_text() == "here"
    steps = descendants(process)
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert [each for each in steps if Path(f"/proc/{each}").exists()] == []
    assert list(runs_folder(started.home).iterdir()) == []


def test_nohup_keeps_a_run_going(started: Started, tmp_path: Path, meeting: Path) -> None:
    process = started.start(
        "run",
        "copy",
        str(tmp_path / "in.txt"),
        "-o",
        str(tmp_path / "out"),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert meeting.read_text() == "here"
    process.send_signal(signal.SIGHUP)
    Path(f"{meeting}-never").write_text("go on")
    _, err = process.communicate()
    assert (process.returncode, (tmp_path / "out").exists()) == (0, True), err


def waiting_for_ever(connection: socket.socket) -> None:
    """Hear what is asked, and keep the connection until the other end closes it."""
    while connection.recv(4096):
        pass


@contextlib.contextmanager
def index_that(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, threading.Event]]:
    """An index that does this to everyone who asks; its address, and an event for the first to ask."""
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    asked.set()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple", asked
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_installation_that_is_ended_takes_uv_with_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    started = Started(tmp_path)
    with index_that(waiting_for_ever) as (address, asked):
        started.environ["UV_DEFAULT_INDEX"] = address
        process = started.start("create", "tools")
        wait_until(asked.is_set, process)
        children = descendants(process.pid)
        assert any("uv" in Path(f"/proc/{each}/cmdline").read_text() for each in children)
        process.send_signal(number)
        _, err = process.communicate()
    assert (process.returncode, no_traceback(err)) == (code, True), err
    wait_until_gone(children)
    assert [each for each in environments_folder(started.home).iterdir() if each.is_dir()] == []
