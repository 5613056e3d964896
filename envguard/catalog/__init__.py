"""What can be built and run: environments, their editions, tasks and samples, all of it data."""

from envguard.catalog.model import Catalog, Edition, Environment, Sample, SampleFile, Step, Task
from envguard.catalog.reading import builtin_catalog, read_catalog

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
]
