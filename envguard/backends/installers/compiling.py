"""Compile bytecode so that every build has the same bytes, whichever tool installs."""

from __future__ import annotations

# Bytecode carries its source's time unless it is told to carry a hash; nobody edits the sources here, so the hash need
# not be checked on import. Before Python 3.11, the order of a set of constants in bytecode follows the hash seed. uv
# reads these, too.
REPRODUCIBLE = {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH", "PYTHONHASHSEED": "0"}

# As uv compiles when it installs: the same bytes at every build, whatever the files' times are. Files that are not
# Python of this version (templates, tests for other versions) are left alone. A folder for temporary files with a long
# name has no room for the socket of several processes.
COMPILE = """
import compileall, sys
from py_compile import PycInvalidationMode
def compile_all(workers):
    compileall.compile_dir(sys.argv[1], quiet=2, workers=workers, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
try:
    compile_all(0)
except OSError:
    compile_all(1)
"""
