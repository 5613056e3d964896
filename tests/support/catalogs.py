"""A catalog with everything in it, and ways to spoil it: what is said of each, and whether a schema can know."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

GOOD: dict[str, Any] = {
    "schema": 1,
    "index": {"url": "https://mirror.example/simple", "certificates": "ca.pem", "proxy": "http://proxy.example:3128"},
    "image": {"base": "registry.example:5000/python:{python}-slim@sha256:" + "0" * 64},
    "environments": {
        "tools": {
            "summary": "tools",
            "pythons": ["3.11"],
            "platforms": ["linux-x86_64", "macos-arm64"],
            "overlaps": "allow",
            "project": False,
            "dependencies": True,
            "check": "checks.imports",
            "check-options": {"modules": ["six"]},
            "editions": {
                "2": {
                    "requirements": ["six==1.16.0"],
                    "overrides": ["b==1"],
                    "build": ["promise"],
                    "pythons": ["3.12"],
                    "offered": True,
                },
                "1": {
                    "requirements": ["six==1.15.0"],
                    "system-libraries": ["libegl1", "libstdc++6"],
                    "optional-system-libraries": {"purpose": "to draw", "packages": {"libgbm1": "libgbm.so.1"}},
                    "npm": ["@scope/left.pad@1.3.0-rc.1 sha512-" + "a" * 86 + "=="],
                },
            },
        },
        "other": {
            "summary": "others",
            "pythons": ["3.11"],
            "check": {"command": ["python", "checks/other.py", "{input.one}", "{input.site-packages}"]},
            "check-inputs": {"one": "sample:one"},
            "editions": {"1": {"requirements": ["six==1.15.0"]}},
        },
    },
    "samples": {
        "one": {
            "summary": "a file",
            "environment": "tools",
            "files": [{"path": "six.py", "bytes": 1, "sha256": "0" * 64}],
        }
    },
    "tasks": {
        "work": {
            "summary": "work",
            "output": "first:made",
            "steps": [
                {
                    "name": "first",
                    "environment": "tools",
                    "run": "steps.inspect",
                    "inputs": {"a": "task:input", "b": "sample:one"},
                    "options": {"deep": {"list": [1, 2.5, "x", False]}},
                    "measures": True,
                    "timeout": 600,
                },
                {"name": "asked", "environment": "tools", "run": "steps.inspect", "on-request": True},
            ],
        },
        "lint": {
            "summary": "lint",
            "steps": [{"name": "lint", "environment": "tools", "command": ["six-lint"]}],
        },
        "make": {
            "summary": "make",
            "depends-on": ["lint"],
            "matrix": {"pythons": ["3.11", "3.12"], "editions": ["1"]},
            "outputs": {"report": "second:report", "log": "first:log"},
            "steps": [
                {
                    "name": "first",
                    "environment": "tools",
                    "command": ["python", "steps/first.py", "{input.a}", "--out={output.log}", '{"plain": "braces"}'],
                    "inputs": {"a": "task:a", "b": "file:data/b.txt"},
                    "outputs": {"log": "logs/log.txt"},
                    "env": {"TF_CPP_MIN_LOG_LEVEL": "2", "AUTHORIZATION": "Bearer ${API_TOKEN}"},
                    "pass-env": ["API_TOKEN", "CI"],
                    "env-file": "settings/dev.env",
                    "tools": ["git", "g++"],
                    "network": False,
                    "timeout": 2.5,
                },
                {
                    "name": "second",
                    "environment": "other",
                    "command": ["six-tool", "{input.log}"],
                    "inputs": {"log": "first:log", "c": "task:c"},
                    "outputs": {"report": "report.json", "pages": "built/pages/"},
                    "measures": True,
                },
            ],
        },
    },
}
SEVERAL_INDEXES: dict[str, Any] = {
    **GOOD,
    "index": [{"name": "private", "url": "https://ours.example/simple", "packages": ["Our_Thing"]}, GOOD["index"]],
}


@dataclass(frozen=True)
class Spoilt:
    """A document that is refused; `said` is in the error, `known` whether the schema can refuse it too."""

    document: dict[str, Any]
    said: str
    known: bool = True


def changed(*path: str | int, to: object) -> dict[str, Any]:
    """The good document with one place changed."""
    document = copy.deepcopy(GOOD)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


def without(*path: str | int) -> dict[str, Any]:
    """The good document with one place missing."""
    document = copy.deepcopy(GOOD)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return document


TOOLS, OTHER = ("environments", "tools"), ("environments", "other")
WORK, MAKE = ("tasks", "work"), ("tasks", "make")
FIRST, SECOND = (*MAKE, "steps", 0), (*MAKE, "steps", 1)
PAYLOAD = (*WORK, "steps", 0)
FILE = ("samples", "one", "files", 0)

SPOILT = [
    Spoilt(changed("index", "url", to="https://user:secret@mirror.example/simple"), "without user and password"),
    Spoilt(changed("index", "url", to="ftp://mirror.example"), "an http or https address"),
    Spoilt(changed("index", "certificates", to="../ca.pem"), "without '..'"),
    Spoilt(
        changed("index", to=[{"url": "https://a.example"}, {"proxy": "http://b.example"}]), "two tables", known=False
    ),
    Spoilt(changed("index", to=[{"name": "a", "url": "https://a.example", "packages": []}]), "at least 1"),
    Spoilt(
        changed("index", to=[{"name": "A_b", "url": "https://a.example", "packages": ["x"]}]), "a name of lower-case"
    ),
    Spoilt(changed("index", to=[{"name": "a", "url": "https://a.example", "packages": ["../x"]}]), "name of a package"),
    Spoilt(changed("index", "dates", to="no"), "true or false"),
    Spoilt(changed("index", "adress", to="x"), "is not known"),
    Spoilt(changed("image", "base", to="Python 3"), "name of a container image"),
    Spoilt(changed("image", "base", to="python:{version}"), "name of a container image"),
    Spoilt(without("image", "base"), "missing"),
    Spoilt(changed(*TOOLS, "editions", "1", "system-libraries", to=["libEGL"]), "a Debian package"),
    Spoilt(changed(*TOOLS, "editions", "1", "npm", to=["left-pad@1.3.0"]), "npm's integrity"),
    Spoilt(changed(*TOOLS, "editions", "1", "npm", to=["left-pad@^1 sha512-" + "a" * 86 + "=="]), "npm's integrity"),
    Spoilt(changed("schema", to=2), "must be 1, the schema"),
    Spoilt(changed("schema", to=True), "whole number"),
    Spoilt(without("schema"), "missing"),
    Spoilt(changed("enviroments", to={}), "did you mean 'environments'"),
    Spoilt(changed(*TOOLS, "chek", to="x"), "did you mean 'check'"),
    Spoilt(changed(*TOOLS, "check", to="os.system"), "a check such as"),
    Spoilt(changed(*TOOLS, "check", to="checks.magic"), "does not exist", known=False),
    Spoilt(changed(*TOOLS, "check", to={"command": []}), "at least 1"),
    Spoilt(changed(*TOOLS, "check", to={"command": "python x.py"}), "must be a list"),
    Spoilt(changed(*TOOLS, "check", to={"comand": ["x"]}), "missing"),
    Spoilt(changed(*OTHER, "check-options", to={}), "check-options is not known"),
    Spoilt(changed(*OTHER, "check", "command", to=["python", "../x.py"]), "without '..'"),
    Spoilt(changed(*OTHER, "check", "command", to=["python", "/x.py"]), "without '..'"),
    Spoilt(changed(*OTHER, "check", "command", to=["/usr/bin/python", "x.py"]), "without '..'"),
    Spoilt(changed(*OTHER, "check-inputs", to={"one": "sample:none"}), "not a sample of another", known=False),
    Spoilt(changed(*OTHER, "check-inputs", to={"two": "sample:one"}), "did you mean 'input.", known=False),
    Spoilt(changed(*OTHER, "check-inputs", to={"one": "task:one"}), "not a sample of another"),
    Spoilt(changed(*TOOLS, "pythons", to=["3"]), "Python minor"),
    Spoilt(changed(*TOOLS, "overlaps", to=True), 'must be "allow"'),
    Spoilt(changed(*TOOLS, "project", to=3), "must be true, a path"),
    Spoilt(changed(*TOOLS, "project", to=["../other"]), "leads out of the project"),
    Spoilt(changed(*TOOLS, "project", to="/etc"), "leads out of the project"),
    Spoilt(changed(*TOOLS, "project", to="libraries/none"), "no pyproject.toml", known=False),
    Spoilt(changed(*TOOLS, "platforms", to=["macosx_14_0_arm64"]), "must be one of linux-x86_64"),
    Spoilt(changed(*TOOLS, "pythons", to="3.11"), "must be a list"),
    Spoilt(changed(*TOOLS, "pythons", to=[]), "at least 1"),
    Spoilt(changed(*TOOLS, "more-pythons", to=["3"]), "Python minor"),
    Spoilt(changed("pythons", to=["3"]), "Python minor"),
    Spoilt(changed(*TOOLS, "editions", to={}), "at least one edition"),
    Spoilt(changed(*TOOLS, "editions", "1", "requirement", to=[]), "did you mean 'requirements'"),
    Spoilt(changed("environments", "../evil", to=GOOD["environments"]["tools"]), "names are made of"),
    Spoilt(changed("environments", "tools", to=3), "must be a table"),
    Spoilt(changed("samples", "one", "environment", to="othr"), "did you mean 'other'", known=False),
    Spoilt(changed(*FILE, "path", to="../../etc/passwd"), "without '..'"),
    Spoilt(changed(*FILE, "path", to="C:\\x"), "without '..'"),
    Spoilt(changed(*FILE, "bytes", to=True), "whole number"),
    Spoilt(changed(*FILE, "bytes", to=-1), "whole number"),
    Spoilt(changed(*FILE, "sha256", to="0"), "SHA-256"),
    Spoilt(changed("samples", "one", "files", to=[]), "at least one table"),
    Spoilt(changed(*WORK, "output", to="later:made"), "which no step makes", known=False),
    Spoilt(changed(*WORK, "outputs", to={"x": "first:made"}), "output is not known"),
    Spoilt(changed(*WORK, "summary", to="a\x1b[2Jb"), "printable"),
    Spoilt(changed(*PAYLOAD, "inputs", to={"a": "later:made"}), "no earlier step makes", known=False),
    Spoilt(changed(*PAYLOAD, "inputs", to={"a": "sample:none"}), "did you mean 'sample:one'", known=False),
    Spoilt(changed(*PAYLOAD, "inputs", to={"a": "input"}), "must be a reference"),
    Spoilt(changed(*PAYLOAD, "environment", to="none"), "unknown environment", known=False),
    Spoilt(changed(*PAYLOAD, "run", to="steps.magic"), "does not exist", known=False),
    Spoilt(changed(*PAYLOAD, "command", to=["x"]), "command is not known"),
    Spoilt(changed(*PAYLOAD, "on-request", to=True), "which no step makes in every run", known=False),
    Spoilt(changed(*MAKE, "matrix", to={"pythons": ["3"]}), "Python minor"),
    Spoilt(changed(*MAKE, "matrix", to={"editions": []}), "at least 1"),
    Spoilt(changed(*MAKE, "matrix", to={"editions": ["3"]}), "names the edition '3'", known=False),
    Spoilt(changed(*MAKE, "depends-on", to=["lnt"]), "did you mean 'lint'", known=False),
    Spoilt(changed(*MAKE, "depends-on", to=["make"]), "depends on itself: make → make", known=False),
    Spoilt(changed("tasks", "lint", "depends-on", to=["make"]), "which needs the input 'a'", known=False),
    Spoilt(changed(*MAKE, "depends-on", to="lint"), "must be a list"),
    Spoilt(changed(*MAKE, "outputs", to={}), "at least one file"),
    Spoilt(changed(*MAKE, "outputs", to={"report": "second:reprot"}), "did you mean 'second:report'", known=False),
    Spoilt(changed(*MAKE, "steps", to=[]), "at least one table"),
    Spoilt(changed(*FIRST, "name", to="task"), "needs another name"),
    Spoilt(changed(*SECOND, "name", to="first"), "an earlier step has the same one", known=False),
    Spoilt(changed(*FIRST, "command", to="python steps/first.py"), "must be a list"),
    Spoilt(changed(*FIRST, "command", to=["sh", 1]), "printable"),
    Spoilt(changed(*FIRST, "command", to=["python", "x.py", "{input.aa}"]), "did you mean 'input.a'", known=False),
    Spoilt(changed(*FIRST, "command", to=["python", "x.py", "{inptu.a}"]), "did you mean 'input.a'", known=False),
    Spoilt(changed(*FIRST, "inputs", to={"a": "file:../../etc/passwd"}), "does not exist", known=False),
    Spoilt(changed(*FIRST, "inputs", to={"a b": "task:a"}), "a name"),
    Spoilt(changed(*FIRST, "outputs", to={"log": "/etc/passwd"}), "without '..'"),
    Spoilt(changed(*SECOND, "outputs", to={"a": "x/Y", "report": "x/y"}), "with the same name", known=False),
    Spoilt(changed(*SECOND, "outputs", to={"a": "x/", "report": "x/y"}), "which is an output itself", known=False),
    Spoilt(changed(*SECOND, "outputs", to={"report": "x//"}), "without '..'"),
    Spoilt(changed(*SECOND, "outputs", to={"report": "other/log.txt"}), "with the same name", known=False),
    Spoilt(changed(*FIRST, "env", to={"LD_PRELOAD": "x"}), "a variable that a step may set"),
    Spoilt(changed(*FIRST, "env", to={"PYTHONPATH": "x"}), "a variable that a step may set"),
    Spoilt(changed(*FIRST, "env", to={"X": 1}), "printable"),
    Spoilt(changed(*FIRST, "pass-env", to=["PYTHONPATH"]), "a variable that a step may be given"),
    Spoilt(changed(*FIRST, "pass-env", to=["UV_INDEX"]), "which configures an installer", known=False),
    Spoilt(changed(*FIRST, "pass-env", to="CI"), "must be a list"),
    Spoilt(changed(*FIRST, "timeout", to=0), "seconds above 0"),
    Spoilt(changed(*PAYLOAD, "timeout", to="1h"), "must be a number"),
    Spoilt(changed(*FIRST, "network", to="off"), "true or false"),
    Spoilt(changed(*FIRST, "tools", to=["/usr/bin/git"]), "the name of a program"),
    Spoilt(changed(*FIRST, "env-file", to="../.env"), "without '..'"),
    Spoilt(changed(*FIRST, "command", to=["python", "${SCRIPT}"]), "no variable can choose it", known=False),
    Spoilt(changed(*FIRST, "shell", to=True), "shell is not known"),
    Spoilt(changed(*FIRST, "measures", to="yes"), "true or false"),
    Spoilt(changed(*PAYLOAD, "measures", to=1), "true or false"),
]
