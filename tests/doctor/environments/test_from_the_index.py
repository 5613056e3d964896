"""Real environments are broken, each in one way, and each way is found; most are "compatible" to `uv pip check`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.doctor.environments.curing import Surroundings
from envguard.doctor.environments.examining import examine_environment
from envguard.doctor.environments.installed import read_environment
from envguard.doctor.finding import Finding
from envguard.errors import BadInput
from envguard.host.interpreters import HostFacts
from tests.support.broken import Scratch, scratch

pytestmark = [pytest.mark.network]


def findings(environment: Scratch) -> dict[str, Finding]:
    """What is found, by check; notes left out."""
    nowhere = environment.folder / "nowhere"
    found = examine_environment(environment.python, Surroundings(nowhere, nowhere, {"PATH": os.defpath}))
    return {each.check: each for each in found if each.level == "finding"}


def cure(environment: Scratch, finding: Finding) -> None:
    """Type the cure's commands."""
    environment.sh(finding.commands)


@pytest.fixture
def environment(tmp_path: Path, host: HostFacts, store_home: Path) -> Scratch:
    return scratch(tmp_path / "venv", host, store_home)


def test_a_whole_environment_has_no_finding(environment: Scratch) -> None:
    environment.install("six==1.17.0", "numpy==2.2.6")
    assert findings(environment) == {}


def test_stable_and_nightly_together_are_found_where_pip_check_finds_nothing(environment: Scratch) -> None:
    environment.install("opencv-python-headless==4.11.0.86", "opencv-python==4.11.0.86", "numpy==2.2.6")
    assert environment.calls_itself_compatible()
    found = findings(environment)
    assert "overwrite each other" in found["relatives"].what
    assert list(found) == ["relatives"]
    environment.uv("pip", "uninstall", "--python", environment.python, "opencv-python")
    assert environment.calls_itself_compatible()
    damaged = findings(environment)["files missing"]
    assert environment.run("import cv2; cv2.imread")[0] != 0
    cure(environment, damaged)
    assert environment.run("import cv2; cv2.imread")[0] == 0
    assert findings(environment) == {}


def test_a_module_for_numpy_1_beside_numpy_2_is_found(environment: Scratch) -> None:
    environment.install("pandas==2.0.3", "numpy==2.2.6", "python-dateutil", "pytz", "tzdata", "six")
    assert environment.calls_itself_compatible()
    found = findings(environment)["numpy"]
    assert "built for NumPy 1.x" in found.what
    code, said = environment.run("import pandas")
    assert code != 0, said
    cure(environment, found)
    assert environment.run("import pandas")[0] == 0


def test_a_wheel_for_another_python_is_found(environment: Scratch) -> None:
    environment.install("markupsafe==3.0.2")
    (module,) = environment.site_packages.glob("markupsafe/_speedups*.so")
    module.rename(module.with_name(module.name.replace("311", "39")))
    (wheel,) = environment.site_packages.glob("[Mm]arkup[Ss]afe-3.0.2.dist-info/WHEEL")
    wheel.write_text(wheel.read_text().replace("cp311", "cp39"))
    found = findings(environment)
    assert list(found)[:2] == ["wheel", "ABI"]
    assert "for another Python" in found["wheel"].what
    cure(environment, found["wheel"])
    assert findings(environment) == {}
    assert environment.run("import markupsafe._speedups")[0] == 0


def test_symbols_newer_than_this_system_and_libraries_that_it_lacks_are_found(environment: Scratch) -> None:
    environment.install("numpy==2.2.6")
    (module,) = environment.site_packages.glob("numpy/_core/_multiarray_umath.*.so")
    content = module.read_bytes()
    module.write_bytes(content.replace(b"GLIBC_2.14\0", b"GLIBC_2.99\0").replace(b"libm.so.6\0", b"libm.so.7\0"))
    found = findings(environment)
    assert "GLIBC_2.99" in found["symbol versions"].what
    assert "libm.so.7" in found["system libraries"].what
    assert environment.calls_itself_compatible()


def test_modules_for_another_processor_are_found(environment: Scratch) -> None:
    environment.install("markupsafe==3.0.2")
    (module,) = environment.site_packages.glob("markupsafe/_speedups*.so")
    content = bytearray(module.read_bytes())
    content[18:20] = (183).to_bytes(2, "little")
    module.write_bytes(content)
    found = findings(environment)
    assert next(iter(found)) == "processor"
    assert "aarch64" in found["processor"].what
    cure(environment, found["processor"])
    assert findings(environment) == {}


def test_what_pip_check_finds_is_found_too(environment: Scratch) -> None:
    environment.install("pandas==2.2.3", "numpy==2.2.6")
    assert not environment.calls_itself_compatible()
    found = findings(environment)["requirements"]
    assert "python-dateutil" in found.evidence
    cure(environment, found)
    assert environment.calls_itself_compatible()


def test_the_folder_names_the_environment_as_well_as_its_python(environment: Scratch) -> None:
    environment.install("six==1.17.0")
    assert read_environment(environment.folder).distributions == read_environment(environment.python).distributions


def test_what_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_environment(tmp_path)
    with pytest.raises(BadInput, match="is not a working Python"):
        read_environment(tmp_path / "python")
