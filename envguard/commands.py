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
            "Show what is built: its size on disk, when it was built and last used, and whether it is ready.",
        ),
        "verify": Command("envguard.cli.store:verify", "Compare every byte of what is built with what was proved."),
        "prune": Command(
            "envguard.cli.store:prune_store",
            "Remove what no run will use again: unfinished, changed and outdated environments, old scratch and logs.",
        ),
        "gc": Command(
            "envguard.cli.store:collect_store",
            "Bring the store down to a size: the package cache goes if that is enough, else what was least recently "
            "used.",
        ),
    },
)

_IMAGE = Group(
    "Environments as container images.",
    {
        "build": Command(
            "envguard.cli.image:build",
            "Build and prove the images of environments; what is there is not built again.",
        ),
        "list": Command("envguard.cli.image:list_images", "Show the images that the engine has of environments."),
        "save": Command(
            "envguard.cli.image:save",
            "Write images and the base that they are built on into one file, for a machine without network.",
        ),
        "load": Command(
            "envguard.cli.image:load",
            "Load images that were saved elsewhere; the first run puts each to its check, and needs no network.",
        ),
        "prune": Command(
            "envguard.cli.image:prune",
            "Remove images whose lock is none of the catalog's any more, and those that a newer build has replaced.",
        ),
        "export": Command(
            "envguard.cli.image:export",
            "Write an image's build files for a builder elsewhere, or all that a cluster needs to run a task.",
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
            "Print a name for the locks of a task's environments; it changes when one of them does.",
        ),
    },
)

COMMANDS: dict[str, Command | Group] = {
    "setup": Command(
        "envguard.cli.environments.setup:setup",
        "Make this machine ready for the project here, or without one for the built-in tasks; say what to type next.",
    ),
    "init": Command(
        "envguard.cli.projects.init:init",
        "Write a commented envguard.toml to start a project from; an existing one is left alone.",
    ),
    "probe": Command(
        "envguard.cli.diagnosis.probe:probe",
        "Show every Python on this host, why envguard cannot use it if it cannot, and which variables no step will "
        "see.",
    ),
    "create": Command(
        "envguard.cli.environments.manage:create",
        "Build and prove environments: those named, or all that work here needs, as `envguard setup` does.",
    ),
    "list": Command(
        "envguard.cli.environments.manage:list_environments",
        "Show the catalog's environments and which of them are ready on this host.",
    ),
    "path": Command(
        "envguard.cli.environments.manage:path", "Print the folder of an environment, built now if it is not ready."
    ),
    "exec": Command(
        "envguard.cli.environments.execute:execute",
        "Run a command in an environment; its exit code is envguard's.",
        passes_options_on=True,
    ),
    "shell": Command(
        "envguard.cli.environments.execute:shell", "Start your shell in an environment; `exit` leaves it."
    ),
    "lock": Command(
        "envguard.cli.locks.lock:lock",
        "Resolve environments with uv for all platforms and write lockfiles/ENVIRONMENT/EDITION/cp3XX.txt.",
    ),
    "prove": Command(
        "envguard.cli.locks.prove:prove",
        "Build environments from their locks, run their checks, and write down what came of it in proofs.json.",
    ),
    "matrix": Command(
        "envguard.cli.locks.matrix:matrix",
        "Show each edition on each Python of this platform: works, fails (with the reason), or unknown.",
    ),
    "export": Command(
        "envguard.cli.locks.export:export",
        "Write a lock as requirements with hashes, as pylock.toml (PEP 751), or as a folder of its wheels.",
    ),
    "inspect": Command(
        "envguard.models.inspect:inspect",
        "Show operators, types, sizes and quantization of a model, what would become int8, and what stands in the way.",
    ),
    "explain": Command(
        "envguard.cli.diagnosis.explain:explain",
        "Say what is known of the errors in a log: cause, the line that says so, and the cure. Exit code 1: nothing.",
    ),
    "doctor": Command(
        "envguard.cli.diagnosis.doctor:doctor",
        "Say what on this host, or in an environment, keeps things from working, with evidence and remedy.",
    ),
    "report-bug": Command(
        "envguard.cli.diagnosis.doctor:report_bug",
        "Write one file to attach to a report: versions, host, plans, last logs; secrets and the home folder masked.",
    ),
    "run": _RUN,
    "verify-receipt": Command(
        "envguard.cli.tasks.receipt:verify_receipt",
        "Compare the outputs beside a receipt with what it recorded; with --rebuild make them again.",
    ),
    "store": _STORE,
    "image": _IMAGE,
    "ci": _CI,
}
