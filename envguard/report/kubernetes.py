"""A Kubernetes Job that runs a task: a container for each step, as locked down as those on a host."""

from __future__ import annotations

import json
from collections.abc import Mapping

from envguard.backends.resources import Resources
from envguard.catalog.model import PayloadStep, Task
from envguard.payload.contract import TaskFile, to_json
from envguard.report.yaml import YamlValue, to_yaml
from envguard.running.environments.exporting import ExportedTask
from envguard.running.step import task_step

NOBODY = 65534
PYTHON = "/opt/envguard/bin/python"
PAYLOAD = "/envguard/payload/__main__.py"
PUBLISH = "publish"
# Nodes are shared; the built-in steps measure with two processors.
PROCESSORS = "2"

HEAD = """\
# Runs the task {task} in a cluster. Build and push the images first (their Dockerfiles are beside this file); then
# - put the input files in the volume of the claim `envguard-input`: {inputs}
# - create the claim `envguard-output` for the outputs, on a volume that group {nobody} can write to.
# On a single machine, you can use `hostPath: {{path: FOLDER, type: Directory}}` instead of `persistentVolumeClaim`.
# `kubectl wait --for=condition=complete job/{name}` returns when it is done. If the verdict is no, the container
# `publish` exits with code 1, and `{task}.results.json` says why.
"""


def manifest(task: Task, exported: ExportedTask, resources: Resources, files: Mapping[str, str]) -> str:
    """The Job, its task as a ConfigMap, and a NetworkPolicy that allows no traffic, as YAML.

    `files` maps the task's inputs to the names of their files in the cluster's volume.
    """
    name = _label(f"envguard-{task.name}")
    labels: YamlValue = {"app": name}
    needed = ", ".join(files[each] for each in task.inputs) or "none are needed"
    head = HEAD.format(task=task.name, inputs=needed, nobody=NOBODY, name=name)
    documents: list[dict[str, YamlValue]] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
            "data": {"task": json.dumps(to_json(_task(task, exported, files)), indent=1) + "\n"},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "labels": labels},
            "spec": {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "backoffLimit": 0,
                "template": {"metadata": {"labels": labels}, "spec": _pod(name, task, exported, resources)},
            },
        },
    ]
    return head + "---\n".join(to_yaml(document) for document in documents)


def _task(task: Task, exported: ExportedTask, files: Mapping[str, str]) -> TaskFile:
    return TaskFile(
        name=task.name,
        inputs={name: files[name] for name in task.inputs},
        samples=exported.samples,
        steps=tuple(task_step(step) for step in task.steps if isinstance(step, PayloadStep)),
        outputs={name: str(reference) for name, reference in task.outputs.items()},
    )


def _pod(name: str, task: Task, exported: ExportedTask, resources: Resources) -> dict[str, YamlValue]:
    steps = [_container(step.name, exported.images[step.environment], resources) for step in task.steps]
    last = _container(PUBLISH, exported.images[task.steps[-1].environment], resources, publishes=True)
    return {
        "restartPolicy": "Never",
        "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": exported.architecture},
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": steps,
        "containers": [last],
        "volumes": [
            {"name": "task", "configMap": {"name": name}},
            {"name": "work", "emptyDir": {"sizeLimit": "4Gi"}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "input", "persistentVolumeClaim": {"claimName": "envguard-input", "readOnly": True}},
            {"name": "output", "persistentVolumeClaim": {"claimName": "envguard-output"}},
        ],
    }


def _container(name: str, image: str, resources: Resources, *, publishes: bool = False) -> dict[str, YamlValue]:
    memory = f"{resources.memory >> 20}Mi"
    mounts: list[YamlValue] = [
        {"name": "task", "mountPath": "/envguard/task", "readOnly": True},
        {"name": "input", "mountPath": "/envguard/input", "readOnly": True},
        {"name": "work", "mountPath": "/envguard/work"},
        {"name": "scratch", "mountPath": "/tmp"},
    ]
    return {
        "name": _label(name),
        "image": image,
        "command": [PYTHON, "-I", "-B", PAYLOAD, "job", "/envguard/task/task", name],
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "LANG", "value": "C.UTF-8"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": PROCESSORS, "memory": memory},
            "limits": {"cpu": PROCESSORS, "memory": memory},
        },
        "volumeMounts": [*mounts, *([{"name": "output", "mountPath": "/envguard/output"}] if publishes else [])],
    }


def _label(name: str) -> str:
    """A name from the catalog as a valid Kubernetes name (RFC 1123)."""
    return name.replace("_", "-").replace(".", "-")
