"""Which of the host's environment variables a child may see: the policy as data, and why."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Why a variable must not reach a child. The first pattern that matches gives the reason.
LEAKS: tuple[tuple[str, str], ...] = (
    (r"PYTHON.*|__PYVENV_LAUNCHER__", "changes where Python finds its standard library or modules"),
    (r"LD_.*|DYLD_.*|LIBPATH|SHLIB_PATH", "changes which shared libraries are loaded"),
    (r"GCONV_PATH|GLIBC_TUNABLES|MALLOC_.*", "changes how the C library behaves"),
    (r"VIRTUAL_ENV.*|_OLD_VIRTUAL_.*", "belongs to another virtual environment"),
    (r"_?CONDA_.*|_CE_.*|MAMBA_.*", "belongs to a conda environment"),
    (
        r"PYENV_VERSION|PYENV_DIR|ASDF_.*_VERSION|__MISE_.*|PDM_.*|POETRY_.*|PIPENV_.*|HATCH_ENV.*|TOX_.*|NOX_.*|PIPX_.*",
        "belongs to another environment manager",
    ),
    (r"PIP_.*|UV_.*|VIRTUALENV_.*|SETUPTOOLS_.*|DISTUTILS_.*", "configures an installer"),
)

# A step's numbers must not depend on these either; a user's own command may want them.
NUMERIC = (
    r"TF_.*|XLA_.*|JAX_.*|GLOG_.*|XNNPACK_.*|MKL_.*|OMP_.*|OPENBLAS_.*|NPY_.*|NUMPY_.*|NUMBA_.*",
    "changes how numeric libraries compute",
)

# What a step gets: enough for a process to live, nothing that changes what it computes.
STEP_NEEDS = re.compile(
    r"PATH|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|TEMP|TMP"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE",
    re.IGNORECASE,
)

# What an installer gets on top: how to reach the package index.
INSTALLER_NEEDS = re.compile(
    r"HOME|USERPROFILE|APPDATA|LOCALAPPDATA|NETRC"
    r"|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS"
    r"|HTTP_TIMEOUT|HTTP_RETRIES|OFFLINE|KEYRING_PROVIDER|CONCURRENT_DOWNLOADS|INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD))",
    re.IGNORECASE,
)

# What pip users have set, in the words that uv knows.
PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_PROXY": "HTTPS_PROXY",
}


@dataclass(frozen=True, slots=True)
class Removed:
    """A variable of the host that a child does not get; its value is not kept."""

    name: str
    why: str


def step_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that a step may see."""
    return {name: value for name, value in environ.items() if STEP_NEEDS.fullmatch(name)}


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that uv may see; what pip was told about indexes is told to uv."""
    kept = {
        name: value for name, value in environ.items() if STEP_NEEDS.fullmatch(name) or INSTALLER_NEEDS.fullmatch(name)
    }
    indexed = "UV_DEFAULT_INDEX" in kept or "UV_INDEX_URL" in kept
    for pip_name, uv_name in PIP_TO_UV.items():
        value = environ.get(pip_name)
        if value and uv_name not in kept and not (uv_name == "UV_DEFAULT_INDEX" and indexed):
            kept[uv_name] = value
    return kept


def removed_from_step(environ: Mapping[str, str]) -> tuple[Removed, ...]:
    """The variables that would have leaked into a step, each with the reason why it is removed."""
    kept = step_variables(environ)
    removed = []
    for name in sorted(environ.keys() - kept.keys()):
        why = _reason(name, (*LEAKS, NUMERIC))
        if why:
            removed.append(Removed(name, why))
    return tuple(removed)


def command_variables(environ: Mapping[str, str], programs: str) -> dict[str, str]:
    """The variables of a user's command in an environment whose programs lie in the folder `programs`.

    All of the user's own but those that would lead Python, the linker or an installer out of the environment.
    """
    kept = {name: value for name, value in environ.items() if not _reason(name, LEAKS)}
    kept["PATH"] = os.pathsep.join(filter(None, (programs, environ.get("PATH", os.defpath))))
    kept["VIRTUAL_ENV"] = os.path.dirname(programs)  # noqa: PTH120 - pathlib is not worth importing on the warm path
    kept["PYTHONNOUSERSITE"] = "1"
    return kept


def _reason(name: str, table: Sequence[tuple[str, str]]) -> str:
    """Why a variable must not reach a child, or an empty text if it is harmless."""
    return next((why for pattern, why in table if re.fullmatch(pattern, name, re.IGNORECASE)), "")
