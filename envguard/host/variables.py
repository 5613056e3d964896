"""Which of the host's environment variables a child may see, and why: the policy as data.

Every command imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

import os

from envguard.system.leaking import LEAKS, Patterns, matches, reason

TYPE_CHECKING = False  # as collections.abc, typing costs milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Mapping

NODE: dict[str, Patterns] = {"changes what Node.js loads": ("NODE_OPTIONS", "NODE_PATH", "NODE_REPL_*")}

# A step's results must not depend on these either; a user's own command may want them.
NUMERIC: dict[str, Patterns] = {
    "changes how numeric libraries compute": (
        "TF_*", "XLA_*", "JAX_*", "GLOG_*", "XNNPACK_*", "MKL_*", "OMP_*", "OPENBLAS_*", "NPY_*", "NUMPY_*", "NUMBA_*",
    )
}  # fmt: skip

# What a step gets: enough for a process to run, nothing that changes what it computes.
STEP_NEEDS: Patterns = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
)  # fmt: skip

# What an installer gets in addition: how to reach the package index.
INSTALLER_NEEDS: Patterns = (
    "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "NETRC",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_*", "UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST", "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_OFFLINE", "UV_KEYRING_PROVIDER",
    "UV_CREDENTIALS_DIR", "UV_CONCURRENT_DOWNLOADS",
)  # fmt: skip

# What Git gets in addition: the user's settings, and how to reach hosts as the user.
GIT_NEEDS: Patterns = (
    "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM",
    "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSH_AGENT_PID",
)  # fmt: skip

# pip's variables and uv's names for the same settings.
PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_PROXY": "HTTPS_PROXY",
}


def step_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that a step may see."""
    return {name: value for name, value in environ.items() if matches(name, STEP_NEEDS)}


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that uv may see; pip's index settings are translated for uv."""
    needs = (*STEP_NEEDS, *INSTALLER_NEEDS)
    kept = {name: value for name, value in environ.items() if matches(name, needs)}
    indexed = "UV_DEFAULT_INDEX" in kept or "UV_INDEX_URL" in kept
    for pip_name, uv_name in PIP_TO_UV.items():
        value = environ.get(pip_name)
        if value and uv_name not in kept and not (uv_name == "UV_DEFAULT_INDEX" and indexed):
            kept[uv_name] = value
    return kept


def git_variables(environ: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
    """The variables for Git: what a step sees, how the user's Git reaches hosts, and no question on a terminal.

    `sources` are an installer's, which say what certificates and proxies to use. None that lead to a repository.
    """
    kept = {name: value for name, value in environ.items() if matches(name, (*STEP_NEEDS, *GIT_NEEDS))}
    kept |= {name: value for name, value in sources.items() if name.upper().endswith("_PROXY")}
    certificates = sources.get("SSL_CERT_FILE")
    if certificates:
        kept["GIT_SSL_CAINFO"] = certificates
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "LC_ALL": "C"}


def npm_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that npm may see: the user's own, any of which `.npmrc` may name, and none that leaks.

    Certificates that an installer is told of are told to Node.js too, and it trusts those that the system trusts.
    """
    kept = {name: value for name, value in environ.items() if not reason(name, LEAKS | NODE)}
    certificates = installer_variables(environ).get("SSL_CERT_FILE")
    if certificates:
        kept.setdefault("NODE_EXTRA_CA_CERTS", certificates)
    kept.setdefault("NODE_USE_SYSTEM_CA", "1")
    return kept


def removed_from_step(environ: Mapping[str, str]) -> dict[str, str]:
    """The names of the variables that would have leaked into a step, and why each is removed."""
    kept = step_variables(environ)
    reasons = {name: reason(name, LEAKS | NUMERIC) for name in sorted(environ.keys() - kept.keys())}
    return {name: why for name, why in reasons.items() if why}


def command_variables(environ: Mapping[str, str], programs: str) -> dict[str, str]:
    """The variables for a user's command in an environment whose programs are in the folder `programs`.

    All of the user's own, except those that would lead Python, the linker or an installer out of the environment.
    """
    kept = {name: value for name, value in environ.items() if not reason(name, LEAKS)}
    kept["PATH"] = os.pathsep.join(filter(None, (programs, environ.get("PATH", os.defpath))))
    kept["VIRTUAL_ENV"] = os.path.dirname(programs)  # noqa: PTH120 - pathlib costs 4 ms to import
    kept["PYTHONNOUSERSITE"] = "1"
    # Bytecode was compiled when the environment was built; a new file would mark the environment as changed.
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return kept
