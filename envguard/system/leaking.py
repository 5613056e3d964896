"""The variables that must reach no child, and why: they change which code runs.

A pattern is a name, or the beginning of one and a star; case does not matter, because of variables like `http_proxy`.
Every command imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as collections.abc, typing costs milliseconds to import
if TYPE_CHECKING:
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


def reason(name: str, table: Mapping[str, Patterns]) -> str:
    """Why a variable must not reach a child; empty if it is harmless."""
    return next((why for why, patterns in table.items() if matches(name, patterns)), "")


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns."""
    upper = name.upper()
    return any(upper.startswith(pattern[:-1]) if pattern.endswith("*") else upper == pattern for pattern in patterns)
