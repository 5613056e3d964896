"""A step sees its request and nothing of the host; what it says is a result, a refusal or a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.backends.venv import HostWorkspace
from envguard.errors import StepFailed
from envguard.host.variables import command_variables, installer_variables, removed_from_step, step_variables
from envguard.layout import Layout
from envguard.payload.contract import CheckFindings, TaskStep
from envguard.running.step import StepOrder, StepResult, run_step
from tests.support.waiting import wait_until, wait_until_gone

POISON = "raise SystemExit('poison was imported')\n"


def here(folder: Path) -> HostWorkspace:
    """This very Python, with a scratch folder."""
    python = Path(sys.executable)
    return HostWorkspace(Layout(python, python.parent), folder)


def imports(folder: Path, *modules: str, **environ: str) -> StepResult:
    """Run the payload's import check with this very Python."""
    order = StepOrder(TaskStep("check", "checks.imports", {}, {"modules": list(modules)}), {})
    return run_step(
        here(folder), order, environ={"PATH": os.defpath, **environ}, log=folder / "log", tell=lambda event: None
    )


def test_a_step_gives_its_result(tmp_path: Path) -> None:
    result = imports(tmp_path, "json")
    assert result.findings.values == CheckFindings({"modules": ["json"]})
    assert result.failures == ()


def test_a_gate_that_is_not_passed_is_a_named_failure(tmp_path: Path) -> None:
    (failure,) = imports(tmp_path, "no_such_module").failures
    assert (failure.step, failure.name) == ("check", "import")
    assert "no_such_module" in failure.message


def poisoned(folder: Path) -> dict[str, str]:
    """Every way in which a host's configuration gets into a Python, each leading to a module that ends it."""
    evil = folder / "evil"
    user_site = folder / "user" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for place in (evil, user_site):
        place.mkdir(parents=True)
        for module in ("numpy", "sitecustomize", "usercustomize", "json"):
            (place / f"{module}.py").write_text(POISON)
    (evil / "libm.so.6").write_bytes(b"")
    return {
        "PYTHONPATH": str(evil),
        "PYTHONHOME": str(evil),
        "PYTHONUSERBASE": str(folder / "user"),
        "PYTHONSTARTUP": str(evil / "json.py"),
        "PYTHONPLATLIBDIR": "nowhere",
        "PYTHONINSPECT": "1",
        "PYTHONWARNINGS": "error",
        "LD_LIBRARY_PATH": str(evil),
        "LD_PRELOAD": str(evil / "libm.so.6"),
        "DYLD_LIBRARY_PATH": str(evil),
        "VIRTUAL_ENV": str(evil),
        "CONDA_PREFIX": str(evil),
        "PIP_TARGET": str(evil),
        "UV_CONFIG_FILE": str(evil / "uv.toml"),
    }


def test_nothing_of_a_poisoned_host_reaches_a_step(tmp_path: Path) -> None:
    environ = poisoned(tmp_path)
    # A module in the current folder of the step must not be found either.
    (tmp_path / "numpy.py").write_text(POISON)
    result = imports(tmp_path, "json", "math", "numpy", **environ)
    assert [failure.message for failure in result.failures] == [
        "import numpy: ModuleNotFoundError: No module named 'numpy'"
    ]
    assert removed_from_step(environ).keys() == environ.keys()
    assert all(removed_from_step(environ).values())


def test_variables_that_a_step_needs_stay_and_secrets_do_not() -> None:
    environ = {"PATH": "/bin", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp", "AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "y"}
    assert step_variables(environ) == {"PATH": "/bin", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp"}


def test_a_users_command_keeps_what_is_his_and_loses_what_leads_out_of_the_environment(tmp_path: Path) -> None:
    environ = {
        **poisoned(tmp_path),
        "PATH": "/bin",
        "GITHUB_TOKEN": "y",
        "OMP_NUM_THREADS": "2",
        "PYENV_ROOT": "/pyenv",
    }
    assert command_variables(environ, "/env/bin") == {
        "PATH": f"/env/bin{os.pathsep}/bin",
        "VIRTUAL_ENV": "/env",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GITHUB_TOKEN": "y",
        "OMP_NUM_THREADS": "2",
        "PYENV_ROOT": "/pyenv",
    }


def test_the_installer_is_told_of_the_users_index_and_of_nothing_else() -> None:
    environ = {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_CERT": "/ca.pem",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "UV_CONFIG_FILE": "/etc/evil.toml",
        "UV_LINK_MODE": "hardlink",
        "PIP_TARGET": "/elsewhere",
        "PYTHONPATH": "/evil",
    }
    assert installer_variables(environ) == {
        "HTTPS_PROXY": "http://proxy.example:3128",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/ca.pem",
    }
    assert installer_variables({**environ, "UV_DEFAULT_INDEX": "https://uv.example"})["UV_DEFAULT_INDEX"] == (
        "https://uv.example"
    )


def test_a_crash_shows_the_end_of_the_log(tmp_path: Path) -> None:
    order = StepOrder(TaskStep("check", "checks.no_such_check", {}), {})
    with pytest.raises(StepFailed) as caught:
        run_step(here(tmp_path), order, environ={}, log=tmp_path / "log", tell=lambda event: None)
    assert caught.value.what == "The step 'check' ended with exit code 1 and without a result."
    assert "No module named" in caught.value.why
    assert str(tmp_path / "log") in caught.value.next_step


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_leaves_no_step_behind(tmp_path: Path, number: signal.Signals) -> None:
    checkout = Path(__file__).parents[2]
    program = f"""
import sys
sys.path.insert(0, {str(checkout)!r})
from pathlib import Path
import envguard.running.step as step
from envguard.layout import Layout
from envguard.backends.venv import HostWorkspace
from envguard.running.signals import unwind_on_ending
unwind_on_ending()
step.PAYLOAD = Path(sys.argv[1]) / "sleeper.py"
python, folder = Path(sys.executable), Path(sys.argv[1])
place = HostWorkspace(Layout(python, python.parent), folder)
order = step.StepOrder(step.TaskStep("x", "steps.x", {{}}), {{}})
step.run_step(place, order, environ={{}}, log=folder / "log", tell=print)
"""
    payload = Path(checkout, "envguard", "payload", "__main__.py")
    (tmp_path / "sleeper.py").write_text(
        f"import os, runpy, time\nrunpy.run_path({str(payload)!r})['end_with_stdin']()\n"
        "open('pid', 'w').write(str(os.getpid()))\nos.rename('pid', 'started')\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-I", "-c", program, str(tmp_path)], stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "started").exists, parent)
    child = int((tmp_path / "started").read_text())
    parent.send_signal(number)
    assert parent.wait() != 0
    wait_until_gone([child])
