"""Which of the host's environment variables a child may see, and why: the policy as data.

A pattern is a name, or the beginning of one and a star; case does not matter, because of variables like `http_proxy`.
Every command imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

Patterns = tuple[str, ...]

# Why a variable must not reach a child.
LEAKS: dict[str, Patterns] = {
    "changes where Python finds its standard library or modules": ("PYTHON*", "__PYVENV_LAUNCHER__"),
    "changes which shared libraries are loaded": ("LD_*", "DYLD_*", "LIBPATH", "SHLIB_PATH"),
    "changes how the C library behaves": ("GCONV_PATH", "GLIBC_TUNABLES", "MALLOC_*"),
    "belongs to another virtual environment": ("VIRTUAL_ENV*", "_OLD_VIRTUAL_*"),
    "belongs to a conda environment": ("CONDA_*", "_CONDA_*", "_CE_*", "MAMBA_*"),
    "belongs to another environment manager": (
        "PYENV_VERSION", "PYENV_DIR", "ASDF_PYTHON_VERSION", "__MISE_*", "PDM_*", "POETRY_*", "PIPENV_*", "HATCH_ENV*",
        "TOX_*", "NOX_*", "PIPX_*",
    ),
    "configures an installer": ("PIP_*", "UV_*", "VIRTUALENV_*", "SETUPTOOLS_*", "DISTUTILS_*"),
}  # fmt: skip

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

# pip's variables and uv's names for the same settings.
PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_PROXY": "HTTPS_PROXY",
}


def step_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that a step may see."""
    return {name: value for name, value in environ.items() if _matches(name, STEP_NEEDS)}


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the host that uv may see; pip's index settings are translated for uv."""
    needs = (*STEP_NEEDS, *INSTALLER_NEEDS)
    kept = {name: value for name, value in environ.items() if _matches(name, needs)}
    indexed = "UV_DEFAULT_INDEX" in kept or "UV_INDEX_URL" in kept
    for pip_name, uv_name in PIP_TO_UV.items():
        value = environ.get(pip_name)
        if value and uv_name not in kept and not (uv_name == "UV_DEFAULT_INDEX" and indexed):
            kept[uv_name] = value
    return kept


def npm_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that npm may see: the user's own, any of which `.npmrc` may name, and none that leaks.

    Certificates that an installer is told of are told to Node.js too, and it trusts those that the system trusts.
    """
    kept = {name: value for name, value in environ.items() if not _reason(name, LEAKS | NODE)}
    certificates = installer_variables(environ).get("SSL_CERT_FILE")
    if certificates:
        kept.setdefault("NODE_EXTRA_CA_CERTS", certificates)
    kept.setdefault("NODE_USE_SYSTEM_CA", "1")
    return kept


def removed_from_step(environ: Mapping[str, str]) -> dict[str, str]:
    """The names of the variables that would have leaked into a step, and why each is removed."""
    kept = step_variables(environ)
    reasons = {name: _reason(name, LEAKS | NUMERIC) for name in sorted(environ.keys() - kept.keys())}
    return {name: why for name, why in reasons.items() if why}


def command_variables(environ: Mapping[str, str], programs: str) -> dict[str, str]:
    """The variables for a user's command in an environment whose programs are in the folder `programs`.

    All of the user's own, except those that would lead Python, the linker or an installer out of the environment.
    """
    kept = {name: value for name, value in environ.items() if not _reason(name, LEAKS)}
    kept["PATH"] = os.pathsep.join(filter(None, (programs, environ.get("PATH", os.defpath))))
    kept["VIRTUAL_ENV"] = os.path.dirname(programs)  # noqa: PTH120 - pathlib costs 4 ms to import
    kept["PYTHONNOUSERSITE"] = "1"
    # Bytecode was compiled when the environment was built; a new file would mark the environment as changed.
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return kept


def leak(name: str) -> str:
    """Why a variable must reach no child at all; empty if it may."""
    return _reason(name, LEAKS)


def _reason(name: str, table: Mapping[str, Patterns]) -> str:
    """Why a variable must not reach a child; empty if it is harmless."""
    return next((why for why, patterns in table.items() if _matches(name, patterns)), "")


def _matches(name: str, patterns: Iterable[str]) -> bool:
    upper = name.upper()
    return any(upper.startswith(pattern[:-1]) if pattern.endswith("*") else upper == pattern for pattern in patterns)
