"""Every command: where it is, and its line in the overview, which is the first paragraph of its docstring."""

from __future__ import annotations

from envguard.cli.app import Command, Group

_RUN = Group(
    "Run a task; each of its steps in an environment of its own.",
    {
        "convert": Command(
            "envguard.models.convert:convert",
            "Convert a TensorFlow model to int8 TFLite with float input and output, and compare it with its float "
            "conversion.",
        ),
        "tune": Command(
            "envguard.models.tune:tune",
            "Measure what MediaPipe's runtime options gain and what they cost in detections; print the lines to paste.",
        ),
        "verify": Command(
            "envguard.models.verify:verify",
            "Run a model that exists already on roads, beside its original if there is one, and judge each.",
        ),
        "quantize": Command(
            "envguard.models.quantize:quantize",
            "Make models int8 with float input and output, and prove against the originals that they still work.",
        ),
    },
    target="envguard.cli.tasks.group:TaskGroup",
)

_STORE = Group(
    "Look after the environments that are built.",
    {
        "list": Command(
            "envguard.cli.store:list_store",
            "Show what is built: its size, when it was built and last used, and whether it is ready.",
        ),
        "verify": Command(
            "envguard.cli.store:verify", "Compare every byte of the built environments with what was proved."
        ),
        "prune": Command(
            "envguard.cli.store:prune_store",
            "Remove what no run will use again: unfinished, changed and outdated environments, old scratch, builds, "
            "logs.",
        ),
        "gc": Command(
            "envguard.cli.store:collect_store",
            "Shrink the store to a size: clear the package cache if that is enough, else remove the least "
            "recently used.",
        ),
    },
)

_IMAGE = Group(
    "Environments as container images.",
    {
        "build": Command(
            "envguard.cli.image:build",
            "Build and prove the images of environments; existing images are kept.",
        ),
        "list": Command("envguard.cli.image:list_images", "List the images of environments that the engine has."),
        "save": Command(
            "envguard.cli.image:save",
            "Write images and their base images into one file, for a machine without network.",
        ),
        "load": Command(
            "envguard.cli.image:load",
            "Load images saved elsewhere; the first run checks each, without network.",
        ),
        "prune": Command(
            "envguard.cli.image:prune",
            "Remove images whose lock is no longer in the catalog, and images that a newer build has replaced.",
        ),
        "export": Command(
            "envguard.cli.image:export",
            "Write an image's build files for another builder, or everything a cluster needs to run a task.",
        ),
    },
)

_CI = Group(
    "Write a workflow that runs a task in CI.",
    {
        "github": Command(
            "envguard.cli.projects.ci:github",
            "Write a workflow for GitHub Actions, such as .github/workflows/envguard.yml.",
        ),
        "gitlab": Command("envguard.cli.projects.ci:gitlab", "Write a pipeline for GitLab CI, such as .gitlab-ci.yml."),
        "key": Command(
            "envguard.cli.projects.ci:key",
            "Print a cache key for the locks of a task's environments; it changes when one of them does.",
        ),
    },
)

COMMANDS: dict[str, Command | Group] = {
    "setup": Command(
        "envguard.cli.environments.setup:setup",
        "Make this machine ready for the project here, or for the built-in tasks if there is none; say what "
        "to type next.",
    ),
    "init": Command(
        "envguard.cli.projects.init:init",
        "Write a commented envguard.toml to start a project from; never overwrite one.",
    ),
    "trust": Command(
        "envguard.cli.projects.trust:trust",
        "Allow the project here to run its steps and checks, until something of it changes.",
    ),
    "probe": Command(
        "envguard.cli.diagnosis.probe:probe",
        "Show every Python on this host, why envguard cannot use some, and which variables are hidden from steps.",
    ),
    "create": Command(
        "envguard.cli.environments.manage:create",
        "Build and prove the named environments, or all that work here needs, as `envguard setup` does.",
        takes="environments",
    ),
    "list": Command(
        "envguard.cli.environments.manage:list_environments",
        "Show the catalog's environments and which of them are ready on this host.",
    ),
    "path": Command(
        "envguard.cli.environments.manage:path",
        "Print the folder of an environment; build it first if it is not ready.",
        takes="environment",
    ),
    "tree": Command(
        "envguard.cli.environments.contents:tree",
        "Show which package of an environment requires which, or why one is there; build it first if it is not ready.",
        takes="environment",
    ),
    "licenses": Command(
        "envguard.cli.environments.contents:licenses",
        "Show the licenses of an environment's packages, as their metadata names them; build it first if it is not "
        "ready.",
        takes="environment",
    ),
    "exec": Command(
        "envguard.cli.environments.execute:execute",
        "Run a command in an environment and exit with its exit code.",
        passes_options_on=True,
        takes="environment",
    ),
    "shell": Command(
        "envguard.cli.environments.execute:shell",
        "Start your shell in an environment; `exit` leaves it.",
        takes="environment",
    ),
    "link": Command(
        "envguard.cli.environments.link:link",
        "Keep .envguard/ENV pointing at the environment's current build, for editors; build it first if need be.",
        takes="environment",
    ),
    "lock": Command(
        "envguard.cli.locks.lock:lock",
        "Resolve environments with uv for all platforms and write lockfiles/ENVIRONMENT/EDITION/cp3XX.txt.",
        takes="environments",
    ),
    "prove": Command(
        "envguard.cli.locks.prove:prove",
        "Build environments from their locks, run their checks, and record the results in proofs.json.",
        takes="environments",
    ),
    "renew": Command(
        "envguard.cli.locks.renew:renew",
        "Ask the package index for newer releases of what environments lead with; make editions of those that work.",
        takes="environments",
    ),
    "audit": Command(
        "envguard.cli.locks.audit:audit",
        "Fetch a lock's wheels for another platform, read their native modules, and record what keeps them from "
        "loading.",
        takes="environments",
    ),
    "matrix": Command(
        "envguard.cli.locks.matrix:matrix",
        "Show each edition on each Python of this platform: works, fails (with the reason), audited, or not tried.",
        takes="environments",
    ),
    "export": Command(
        "envguard.cli.locks.export:export",
        "Write a lock as requirements with hashes, pylock.toml (PEP 751), a folder of its wheels, or a bill of "
        "materials.",
        takes="environment",
    ),
    "vulnerabilities": Command(
        "envguard.cli.locks.vulnerabilities:vulnerabilities",
        "Compare the packages of an environment's lock with advisories or by a service that you name; nothing is "
        "built.",
        takes="environment",
    ),
    "inspect": Command(
        "envguard.models.inspect:inspect",
        "Show operators, types, sizes and quantization of a model, what would become int8, and what stands in the way.",
    ),
    "explain": Command(
        "envguard.cli.diagnosis.explain:explain",
        "Explain the known errors in a log: cause, evidence and cure. Exit code 1: nothing is known.",
    ),
    "doctor": Command(
        "envguard.cli.diagnosis.doctor:doctor",
        "Find what stops things from working on this host or in an environment, with evidence and a remedy.",
    ),
    "report-bug": Command(
        "envguard.cli.diagnosis.doctor:report_bug",
        "Write one file to attach to a bug report: versions, host, plans, recent logs; secrets and home folder masked.",
    ),
    "help": Command(
        "envguard.cli.guide.help:show_help",
        "Print the help of a command, as its own --help does; with --man, the manual page.",
    ),
    "run": _RUN,
    "verify-receipt": Command(
        "envguard.cli.tasks.receipt:verify_receipt",
        "Compare the outputs beside a receipt with what it recorded; with --rebuild, make them again.",
    ),
    "store": _STORE,
    "image": _IMAGE,
    "ci": _CI,
}
