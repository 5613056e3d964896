"""What to do where an environment cannot be had: the nearest way out that the reasons leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Obstacle = Literal[
    "not requested", "no lock", "unresolvable", "stale lock", "no Python", "unusable Python", "no wheel", "known-bad",
    "old C library", "lesser", "elsewhere",
]  # fmt: skip

INSTALL = "Install one of Python {minors} and run again; `envguard probe` shows what this host has."
IN_A_CONTAINER = (
    "The nearest way that works is a container: start Docker or Podman, then run the same command again with "
    "--backend container."
)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A candidate that was not chosen, and why: in words, as a kind, and the Python minor where it has one."""

    what: str
    why: str
    obstacle: Obstacle = "elsewhere"
    minor: str = ""


def next_step(
    environment: str, passed_over: Sequence[PassedOver], install: str, *, machine: str, others: bool = False
) -> str:
    """The advice for these reasons, none of which is met already; `install` has `{minors}` where they belong.

    `machine` is what Linux calls the machine that would run a container, which has wheels of its own; else empty.
    `others` says that there are editions that were not looked at, because one was asked for.
    """
    found = {each.obstacle for each in passed_over}
    minors = dict.fromkeys(each.minor for each in passed_over if each.obstacle == "no Python")
    if minors:
        return install.replace("{minors}", ", ".join(minors))
    if "unusable Python" in found:
        return "Mend the Python that is named above, as its reason says, and run again; `envguard probe` shows all."
    if "stale lock" in found:
        return f"Make its lock again with `envguard lock {environment}`, or use it as it is with --frozen."
    elsewhere = [each.why for each in passed_over if each.obstacle == "no wheel" and "manylinux" in each.why]
    if machine and ("old C library" in found or any(f"_{machine}" in why for why in elsewhere)):
        return IN_A_CONTAINER
    if "no lock" in found:
        return f"Make its lock with `envguard lock {environment}`."
    if others:
        return f"Choose another edition of it with --edition: `envguard matrix {environment}` shows which work where."
    if "not requested" in found:
        return f"Leave out --python, or name another: `envguard matrix {environment}` shows what there is."
    if "no wheel" in found:
        return "No edition of it has wheels for this kind of machine: use one that the reasons above name."
    return f"No edition of it works here: `envguard matrix {environment}` shows what happened."
