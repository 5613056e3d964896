"""`envguard image`: built once, the same layers each time, carried to a machine without network, run in a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker
import pytest

from envguard.locks.lockfile import lock_path, read_lock
from envguard.locks.uv import find_uv
from tests.support.command import Ended, envguard
from tests.support.engine import TestEngine
from tests.support.environments import workshop
from tests.support.projects import write_project

pytestmark = [pytest.mark.slow, pytest.mark.network]

DEBIANS_DOCKER = "/usr/bin/docker"  # another one on PATH may want an engine of its own age
NOBODY = 65534
VALIDATOR = ("kubernetes-validate==1.37.0", "PyYAML==6.0.3")
VALIDATE = """
import json, sys, kubernetes_validate, yaml
documents = list(yaml.safe_load_all(open(sys.argv[1])))
for document in documents:
    kubernetes_validate.validate(document, "1.37", strict=True)
print(json.dumps(documents))
"""
PROJECT = """
[environments.tools]
summary = "one small package, which brings a program"
pythons = ["{python}"]
check = "checks.imports"
check-options = {{ modules = ["tabulate"] }}

[environments.tools.editions.1]
requirements = ["tabulate==0.9.0"]

[tasks.align]
summary = "Run a program of the environment"
output = "align:table"

[[tasks.align.steps]]
name = "align"
environment = "tools"
command = ["tabulate", "-o", "{{output.table}}", "--format", "github", "{{input.words}}"]
inputs = {{ words = "task:words" }}
outputs = {{ table = "table.txt" }}

[tasks.small]
summary = "Quantize a small model"
output = "quantize:quantized"

[[tasks.small.steps]]
name = "inspect"
environment = "quantize"
run = "steps.inspect"
inputs = {{ model = "task:model" }}

[[tasks.small.steps]]
name = "quantize"
environment = "quantize"
run = "steps.quantize"
inputs = {{ model = "task:model" }}
"""


class Shell:
    """The command line with the tests' engine, a project, and a store."""

    def __init__(self, engine: TestEngine, project: Path, home: Path) -> None:
        self.engine, self.project, self.home = engine, project, home

    def __call__(self, *arguments: str | Path) -> Ended:
        ended = envguard(*arguments, home=self.home, cwd=self.project, **self.engine.environ)
        assert "envguard itself failed" not in ended.err
        return ended

    def done(self, *arguments: str | Path) -> str:
        """What a command that must succeed prints."""
        ended = self(*arguments)
        assert ended.code == 0, ended.err
        return ended.out

    def layers(self, tag: str) -> list[str]:
        """The digests of an image's layers."""
        found: list[str] = self.engine.client.api.inspect_image(tag)["RootFS"]["Layers"]
        return found


@pytest.fixture
def shell(engine: TestEngine, tmp_path: Path, store_home: Path) -> Shell:
    project = write_project(tmp_path / "project", engine.python, PROJECT.format(python=engine.python), {})
    return Shell(engine, project, store_home)


def test_what_is_built_is_not_built_again_and_anew_it_has_the_same_layers(shell: Shell) -> None:
    shell.done("lock", "tools")
    (image,) = json.loads(shell.done("image", "build", "tools", "--json"))["images"]
    (tag,) = image["tags"]
    lock = read_lock(lock_path(shell.project / "lockfiles", "tools", "1", shell.engine.python))
    processor = shell.engine.architecture
    assert tag == f"envguard/tools:1-cp{shell.engine.python.replace('.', '')}-{processor}-{lock.digest[:12]}"
    labels = shell.engine.client.images.get(tag).labels
    assert (labels["envguard.lock"], labels["envguard.edition"]) == (lock.digest, "1")
    assert json.loads(shell.done("image", "build", "tools", "--json"))["images"] == [image]

    layers = shell.layers(tag)
    (anew,) = json.loads(shell.done("image", "build", "tools", "--rebuild", "--json"))["images"]
    assert anew["id"] != image["id"]  # it says when it was built
    assert shell.layers(tag) == layers
    assert tag in shell.done("image", "list")

    removed = json.loads(shell.done("image", "prune", "--json"))["removed"]
    assert image["id"] in [each["id"] for each in removed]  # the first lost its name to the second
    assert tag in shell.done("image", "list")
    lock_path(shell.project / "lockfiles", "tools", "1", shell.engine.python).unlink()
    assert tag in shell.done("image", "prune", "--dry-run")
    assert tag in shell.done("image", "list")
    shell.done("image", "prune")
    assert tag not in shell.done("image", "list")


def test_a_saved_image_works_where_there_is_no_network_and_no_store(shell: Shell, tmp_path: Path) -> None:
    shell.done("lock", "tools")
    saved = tmp_path / "tools.tar"
    shell.done("image", "save", "tools", "-o", saved)
    (image,) = json.loads(shell.done("image", "build", "tools", "--json"))["images"]
    for tag in (*image["tags"], shell.engine.base):
        shell.engine.client.images.remove(tag, force=True)

    (tmp_path / "words").write_text("left right\nup down\n")
    elsewhere = Shell(shell.engine, shell.project, tmp_path / "elsewhere")
    run = ("run", "align", tmp_path / "words", "--offline", "--backend", "container", "-o", tmp_path / "table.txt")
    refused = elsewhere(*run)
    assert refused.code == 3
    assert f"the base image {shell.engine.base} " in refused.err.replace("\n", " ") + " "
    assert set(elsewhere.done("image", "load", saved).split()) == {*image["tags"], shell.engine.base}
    elsewhere.done(*run)
    assert "| left | right |" in (tmp_path / "table.txt").read_text()
    assert elsewhere("image", "load", tmp_path / "none.tar").code == 2


def test_an_exported_folder_is_all_that_docker_needs(shell: Shell, tmp_path: Path) -> None:
    shell.done("lock", "tools")
    (image,) = json.loads(shell.done("image", "build", "tools", "--json"))["images"]
    shell.done("image", "export", "tools", "--dockerfile", tmp_path / "out")
    platform = f"linux/{shell.engine.architecture}"
    assert f"\nFROM --platform={platform} ${{BASE}}\n" in (tmp_path / "out" / "Dockerfile").read_text()
    environ = {**os.environ, "DOCKER_HOST": shell.engine.address}
    build: list[str | Path] = [
        DEBIANS_DOCKER,
        "build",
        "--quiet",
        "--network",
        "none",
        "--tag",
        "plain:1",
        tmp_path / "out",
    ]
    subprocess.run(build, env=environ, check=True, capture_output=True)
    assert shell.layers("plain:1") == shell.layers(image["tags"][0])
    said = shell.engine.client.containers.run("plain:1", ["tabulate", "--help"], network_mode="none", remove=True)
    assert b"Pretty-print tabular data" in said
    again = shell("image", "export", "tools", "--dockerfile", tmp_path / "out")
    assert (again.code, "Name a folder that does not exist yet." in again.err) == (2, True)


def test_an_exported_job_is_valid_and_does_the_task(shell: Shell, store_home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shell.done("image", "export", "--kubernetes", "small", "--input", "model=small.tflite", "--dockerfile", out)
    config, policy, job = validated(out / "job.yaml", tmp_path)
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    pod = job["spec"]["template"]["spec"]
    assert not pod["automountServiceAccountToken"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": shell.engine.architecture}
    folders = {name: tmp_path / name for name in ("task", "input", "work", "scratch", "output")}
    for folder in folders.values():
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
    (folders["task"] / "task").write_text(config["data"]["task"])
    python = workshop(store_home).prepare("quantize").built.layout.python
    maker = Path(__file__).parents[1] / "support" / "inside" / "make_models.py"
    subprocess.run([python, "-I", maker, folders["input"]], check=True, capture_output=True)

    environ = {**os.environ, "DOCKER_HOST": shell.engine.address}
    (tag,) = {container["image"] for container in pod["initContainers"] + pod["containers"]}
    build: list[str | Path] = [DEBIANS_DOCKER, "build", "--quiet", "--network", "none", "--tag", tag, out / "quantize"]
    subprocess.run(build, env=environ, check=True, capture_output=True)
    for container in pod["initContainers"] + pod["containers"]:
        as_a_cluster_would(shell.engine.client, container, pod, folders)
    made = folders["output"] / "quantized.tflite"
    assert 0 < made.stat().st_size < (folders["input"] / "small.tflite").stat().st_size
    report = json.loads((folders["output"] / "small.results.json").read_text())
    assert (report["failures"], set(report["steps"])) == ([], {"inspect", "quantize"})
    shell.engine.client.images.remove(tag)


def validated(manifest: Path, folder: Path) -> list[dict[str, Any]]:
    """The documents of a manifest, each of which follows Kubernetes's own schema."""
    uv, python = find_uv(), folder / "venv" / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True, cwd=folder)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *VALIDATOR], check=True, cwd=folder)
    run = subprocess.run([python, "-I", "-c", VALIDATE, manifest], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    documents: list[dict[str, Any]] = json.loads(run.stdout)
    return documents


def as_a_cluster_would(
    client: docker.DockerClient, container: dict[str, Any], pod: dict[str, Any], folders: dict[str, Path]
) -> None:
    """Run a container of a Job as its manifest says."""
    security, user = container["securityContext"], pod["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    program, *arguments = container["command"]
    volumes = {
        str(folders[mount["name"]]): {"bind": mount["mountPath"], "mode": "ro" if mount.get("readOnly") else "rw"}
        for mount in container["volumeMounts"]
    }
    client.containers.run(
        container["image"],
        arguments,
        entrypoint=[program],
        environment={each["name"]: each["value"] for each in container["env"]},
        user=f"{user['runAsUser']}:{user['runAsGroup']}",
        read_only=security["readOnlyRootFilesystem"],
        cap_drop=security["capabilities"]["drop"],
        security_opt=["no-new-privileges"],
        network_mode="none",
        volumes=volumes,
        remove=True,
    )
