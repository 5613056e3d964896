"""Images for several processors have tags of their own, in an engine and in a registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from envguard.backends.image_context import tag_of
from envguard.backends.inside import CONTAINER
from envguard.backends.protocol import Installed
from envguard.catalog import builtin_catalog
from envguard.host.interpreters import HostFacts
from envguard.layout import Layout
from envguard.planning import Candidate
from envguard.running.environments.recorded import recorded_locks


def tag(host: HostFacts, machine: str) -> str:
    """The tag of the first lock of `pip` for a processor, which is called as Python calls it."""
    environment = builtin_catalog().environments["pip"]
    python = host.usable[0]
    interpreter = replace(python, facts=replace(python.facts, architecture=machine))
    lock = next(iter(recorded_locks(environment).values()))
    candidate = Candidate(environment, environment.editions[0], lock, interpreter, CONTAINER)
    return tag_of(Installed(candidate, Layout(Path("/python"), Path("/site-packages"), in_image=True), "key"))


def test_the_same_lock_has_another_tag_for_another_processor(host: HostFacts) -> None:
    assert "-amd64-" in tag(host, "x86_64")
    assert tag(host, "aarch64") == tag(host, "x86_64").replace("-amd64-", "-arm64-")
