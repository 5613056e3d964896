"""Tasks whose steps run in containers: the same results as in virtual environments, and nothing left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.backends.engine import NoEngine
from envguard.backends.image import images
from envguard.errors import NoEnvironment, StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.environments.images import containers_of, image_of
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Building
from tests.support.command import envguard
from tests.support.engine import TestEngine
from tests.support.environments import Events, workshop
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.network]

TASKS = """
[tasks.work]
summary = "Join two words, one of each environment"
outputs = { joined = "join:joined", seen = "join:seen" }

[[tasks.work.steps]]
name = "say"
environment = "one"
command = ["python", "steps/say.py", "{output.word}"]
outputs = { word = "word.txt" }

[[tasks.work.steps]]
name = "join"
environment = "two"
command = ["python", "steps/join.py", "{input.word}", "{input.user}", "{output.joined}", "{output.seen}"]
inputs = { word = "say:word", user = "task:word" }
outputs = { joined = "out/joined.txt", seen = "seen.json" }

[tasks.sleep]
summary = "Sleep until somebody ends it"
output = "sleep:nothing"

[[tasks.sleep.steps]]
name = "sleep"
environment = "one"
command = ["python", "steps/sleep.py", "{output.nothing}"]
outputs = { nothing = "nothing" }
network = true

[tasks.crash]
summary = "End by a signal"
output = "crash:nothing"

[[tasks.crash.steps]]
name = "crash"
environment = "one"
command = ["python", "-c", "import os; print('the end', flush=True); os.abort()"]
outputs = { nothing = "nothing" }
"""
SCRIPTS = {
    "steps/helper.py": "WORD = 'hello'\n",
    "steps/say.py": "import sys, helper\nopen(sys.argv[1], 'w').write(helper.WORD)\n",
    "steps/join.py": """\
        import json, os, sys
        word, user, joined, seen = sys.argv[1:]
        open(joined, "w").write(open(word).read() + " " + open(user).read())
        facts = {"arguments": sys.argv[1:], "user": os.getuid(), "prefix": sys.prefix}
        json.dump(facts, open(seen, "w"))
        """,
    "steps/sleep.py": "import sys, time\nopen(sys.argv[1] + '.started', 'w').close()\ntime.sleep(3600)\n",
}
PAYLOAD_TASK = """
[tasks.small]
summary = "Quantize a small model"
output = "quantize:quantized"

[[tasks.small.steps]]
name = "inspect"
environment = "quantize"
run = "steps.inspect"
inputs = { model = "task:model" }

[[tasks.small.steps]]
name = "quantize"
environment = "quantize"
run = "steps.quantize"
inputs = { model = "task:model" }
"""


@pytest.fixture
def project(engine: TestEngine, tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", engine.python, TASKS + PAYLOAD_TASK, SCRIPTS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for these tests; each environment is proved in it once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def shop(engine: TestEngine, project: Path, home: Path) -> Workshop:
    """A workshop whose steps run in containers."""
    shop = shop_of(project, home, {**os.environ, **engine.environ})
    shop.backend, shop.base = "container", engine.base
    return shop


def test_steps_find_their_files_and_give_back_theirs(shop: Workshop, engine: TestEngine, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("world")
    result = run_on(shop.catalog.tasks["work"], {"word": tmp_path / "word"}, tmp_path / "out", shop)
    assert result.passed
    assert (tmp_path / "out" / "joined.txt").read_text() == "hello world"
    seen = json.loads((tmp_path / "out" / "seen.json").read_text())
    assert seen == {
        "arguments": ["/envguard/in/0/word.txt", "/envguard/in/1/word", "/envguard/work/out/joined.txt",
                      "/envguard/work/seen.json"],
        "user": os.getuid(),
        "prefix": "/opt/envguard",
    }  # fmt: skip
    assert (tmp_path / "out" / "joined.txt").stat().st_uid == os.getuid()
    assert engine.containers() == []


def test_a_crash_is_told_with_its_signal_and_its_words(shop: Workshop, engine: TestEngine, tmp_path: Path) -> None:
    with pytest.raises(StepFailed) as caught:
        run_on(shop.catalog.tasks["crash"], {}, tmp_path / "out", shop)
    assert caught.value.what == "The step 'crash' was ended by SIGABRT."
    assert "the end" in caught.value.why
    assert engine.containers() == []


def test_where_no_python_of_the_host_fits_a_container_is_chosen_and_the_plan_says_why(shop: Workshop) -> None:
    shop.backend = None
    assert shop.plan("one").chosen.backend == "venv"
    shop.host = HostFacts((), ())
    plan = shop.plan("one")
    assert plan.chosen.backend == "container"
    assert plan.passed_over[0].what == "this host's own Pythons"
    assert "this host has no Python" in plan.passed_over[0].why
    shop.backend = "venv"
    with pytest.raises(NoEnvironment, match="The environment 'one' is not available on this host"):
        shop.plan("one")


def test_without_an_engine_both_reasons_are_told(shop: Workshop) -> None:
    alone = dataclasses.replace(shop, environ={**shop.environ, "DOCKER_HOST": "unix:///nowhere.sock"})
    with pytest.raises(NoEngine, match="There is no container engine"):
        alone.plan("one")
    alone.backend, alone.host = None, HostFacts((), ())
    with pytest.raises(NoEnvironment) as caught:
        alone.plan("one")
    assert "this host has no Python" in caught.value.why
    assert "in a container: There is no container engine at unix:///nowhere.sock" in caught.value.why


def test_a_base_that_is_missing_or_lacks_libraries_is_passed_over_with_the_reason(
    engine: TestEngine, store_home: Path
) -> None:
    shop = workshop(store_home, {**os.environ, **engine.environ})
    shop.backend, shop.base = "container", engine.base
    reasons = [each.why for each in shop.plan("verify").passed_over]
    assert f"the image {engine.base} lacks the Debian packages libegl1, libgles2" in reasons
    elsewhere = dataclasses.replace(shop, base="nowhere.invalid/python:{python}")
    with pytest.raises(NoEnvironment) as caught:
        elsewhere.plan("verify", fetch=True)
    assert "the base image nowhere.invalid/python:3.11 is missing and cannot be pulled" in caught.value.why
    assert (caught.value.exit_code, "--base" in caught.value.next_step) == (3, True)


def test_an_image_that_was_removed_is_built_again_from_the_store(shop: Workshop, engine: TestEngine) -> None:
    prepared = shop.prepare("one")
    image = image_of(shop, prepared)
    engine.client.images.remove(image.tags[0])
    events = Events()
    again = dataclasses.replace(shop, offline=True, receive=events)
    prepared = again.prepare("one")
    assert not prepared.built.fresh
    assert [event.what for event in events if isinstance(event, Building)] == [image.tags[0]]
    assert image_of(again, prepared).tags == image.tags


def test_an_image_whose_check_fails_does_not_stay(shop: Workshop, engine: TestEngine, tmp_path: Path) -> None:
    shop.home = tmp_path / "home"
    environment = dataclasses.replace(shop.catalog.environments["one"], check_command=("python", "-c", "1 / 0"))
    shop.catalog = dataclasses.replace(shop.catalog, environments={"one": environment})
    with pytest.raises(NoEnvironment, match="failed its check") as caught:
        shop.prepare("one")
    assert "ZeroDivisionError" in caught.value.why
    assert [image for image in images(containers_of(shop).engine) if image.environment == "one"] == []
    assert engine.containers() == []


def interrupted(project: Path, home: Path, engine: TestEngine, number: signal.Signals) -> int:
    """End a run while its step sleeps; gives back its exit code."""
    variables = {**os.environ, **engine.environ, "ENVGUARD_HOME": str(home)}
    command = ["-I", "-m", "envguard", "run", "sleep", "--backend", "container", "-o", str(project / "out")]
    process = subprocess.Popen([sys.executable, *command], env=variables, cwd=project, stderr=subprocess.DEVNULL)
    wait_until(lambda: any((home / "runs").rglob("nothing.started")), process)
    (name,) = engine.containers()
    # The tests' own engine has no bridge, so what counts is what it was asked for.
    assert engine.client.containers.get(name).attrs["HostConfig"]["NetworkMode"] != "none"
    process.send_signal(number)
    return process.wait()


def test_an_interrupted_run_leaves_no_container(project: Path, engine: TestEngine, home: Path) -> None:
    assert interrupted(project, home, engine, signal.SIGINT) == 130
    assert engine.containers() == []


def test_a_killed_run_ends_its_container_and_the_next_one_removes_it(
    project: Path, engine: TestEngine, home: Path, tmp_path: Path
) -> None:
    assert interrupted(project, home, engine, signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: engine.client.containers.list() == [])  # none runs; what is left of it lies there
    assert len(engine.containers()) == 1
    elsewhere = envguard("run", "work", "--explain", "--backend", "container", home=tmp_path / "other", cwd=project,
                         **engine.environ)  # fmt: skip
    assert elsewhere.code == 0
    assert len(engine.containers()) == 1  # another store's, who knows whether its owner lives
    envguard("run", "work", "--explain", "--backend", "container", home=home, cwd=project, **engine.environ)
    assert engine.containers() == []


def test_a_quantized_model_is_the_same_bytes_in_both(
    project: Path, engine: TestEngine, store_home: Path, host: HostFacts, tmp_path: Path
) -> None:
    if engine.python not in map(minor_of, host.usable):
        pytest.skip(f"this host has no Python {engine.python} to compare with")
    pythons = {"quantize": engine.python}
    here = dataclasses.replace(shop_of(project, store_home), pythons=pythons)
    python = here.prepare("quantize").built.layout.python
    maker = Path(__file__).parents[1] / "support" / "inside" / "make_models.py"
    subprocess.run([python, "-I", maker, tmp_path], check=True, capture_output=True)
    inside = dataclasses.replace(here, environ={**os.environ, **engine.environ}, backend="container", base=engine.base)
    made = {}
    for shop in (here, inside):
        out = tmp_path / f"{shop.backend}.tflite"
        result = run_on(shop.catalog.tasks["small"], {"model": tmp_path / "small.tflite"}, out, shop)
        assert result.passed
        made[shop.backend] = out.read_bytes()
    assert made["container"] == made[None]
    assert len(made["container"]) < (tmp_path / "small.tflite").stat().st_size
    assert engine.containers() == []


def test_a_users_own_command_has_the_current_folder_and_its_exit_code_is_ours(
    project: Path, engine: TestEngine, home: Path
) -> None:
    program = "import os, sys; open('made', 'w').write('x'); print(sys.prefix); sys.stderr.write('no'); sys.exit(5)"
    command = ("exec", "--backend", "container", "one", "--", "python", "-c", program)
    ended = envguard(*command, home=home, cwd=project, **engine.environ)
    assert (ended.code, ended.out) == (5, "/opt/envguard\n")
    assert ended.err.endswith("no")
    assert (project / "made").read_text() == "x"
    assert engine.containers() == []


def test_damage_is_found_and_repaired_and_a_receipt_is_done_again_in_a_container(
    project: Path, engine: TestEngine, tmp_path: Path
) -> None:
    variables = {**engine.environ, "ENVGUARD_BACKEND": "container"}
    home, out = tmp_path / "home", tmp_path / "out"
    (tmp_path / "word").write_text("world")
    assert envguard("run", "work", tmp_path / "word", "-o", out, home=home, cwd=project, **variables).code == 0
    (receipt,) = out.glob("*.receipt.json")
    again = envguard(
        "verify-receipt", receipt, "-i", tmp_path / "word", "--rebuild", home=home, cwd=project, **variables
    )
    assert again.code == 0, again.err
    (marker,) = (home / "environments").glob("one-*/ready.json")
    folder = marker.parent
    (folder / "site-packages" / "stray.py").write_text("x = 1\n")
    assert envguard("store", "verify", "one", home=home, cwd=project, **variables).code == 1
    mended = envguard("store", "verify", "one", "--repair", home=home, cwd=project, **variables)
    assert mended.code == 0, mended.out
    assert not (folder / "site-packages" / "stray.py").exists()
