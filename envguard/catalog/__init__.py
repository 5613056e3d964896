"""What envguard can build and run, as data: environments, their editions, tasks and samples."""

from envguard.catalog.model import (
    Catalog,
    CommandStep,
    Edition,
    Environment,
    PayloadStep,
    Sample,
    SampleFile,
    Step,
    Task,
)
from envguard.catalog.projects import find_project, load_catalog
from envguard.catalog.reading import read_catalog
from envguard.catalog.shipped import builtin_catalog, shipped_lockfiles

__all__ = [
    "Catalog",
    "CommandStep",
    "Edition",
    "Environment",
    "PayloadStep",
    "Sample",
    "SampleFile",
    "Step",
    "Task",
    "builtin_catalog",
    "find_project",
    "load_catalog",
    "read_catalog",
    "shipped_lockfiles",
]
