"""What can be built and run: environments, their editions, tasks and samples, all of it data."""

from envguard.catalog.model import Catalog, Edition, Environment, Sample, SampleFile, Step, Task
from envguard.catalog.reading import read_catalog
from envguard.catalog.shipped import builtin_catalog, shipped_lockfiles

__all__ = [
    "Catalog",
    "Edition",
    "Environment",
    "Sample",
    "SampleFile",
    "Step",
    "Task",
    "builtin_catalog",
    "read_catalog",
    "shipped_lockfiles",
]
