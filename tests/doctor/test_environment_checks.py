"""Real environments are broken, each in one way, and each way is found; most are "compatible" to `uv pip check`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envguard.doctor.environment_checks import check_distributions
from envguard.doctor.finding import Finding
from envguard.doctor.installed import read_environment
from envguard.doctor.native_checks import check_native_modules
from envguard.errors import BadInput
from envguard.host.interpreters import HostFacts
from tests.support.broken import Scratch, scratch

pytestmark = [pytest.mark.network]


def findings(environment: Scratch) -> dict[str, Finding]:
    """What is found, by check; notes left out."""
    installed = read_environment(environment.python)
    found = (*check_distributions(installed), *check_native_modules(installed))
    return {each.check: each for each in found if each.level == "finding"}


@pytest.fixture
def environment(tmp_path: Path, host: HostFacts, store_home: Path) -> Scratch:
    return scratch(tmp_path / "venv", host, store_home)


def test_a_whole_environment_has_no_finding(environment: Scratch) -> None:
    environment.install("six==1.17.0", "numpy==2.2.6")
    assert findings(environment) == {}


def test_a_missing_and_a_changed_file_are_found_where_pip_check_finds_nothing(environment: Scratch) -> None:
    environment.install("six==1.17.0", "numpy==2.2.6")
    (environment.site_packages / "six.py").write_text("# somebody was here\n")
    (environment.site_packages / "numpy" / "version.py").unlink()
    assert environment.calls_itself_compatible()
    found = findings(environment)
    assert set(found) == {"files changed", "files missing"}
    assert "six 1.17.0" in found["files changed"].what
    assert "numpy/version.py" in found["files missing"].evidence


def test_stable_and_nightly_together_are_found_where_pip_check_finds_nothing(environment: Scratch) -> None:
    environment.install("opencv-python-headless==4.11.0.86", "opencv-python==4.11.0.86", "numpy==2.2.6")
    assert environment.calls_itself_compatible()
    found = findings(environment)
    assert "overwrite each other" in found["relatives"].what
    assert "own" in found["owned twice"].what
    environment.uv("pip", "uninstall", "--python", environment.python, "opencv-python")
    assert environment.calls_itself_compatible()
    assert "files missing" in findings(environment)


def test_two_dist_infos_of_one_package_are_found(environment: Scratch) -> None:
    environment.install("six==1.17.0")
    kept = environment.site_packages / "six-1.17.0.dist-info"
    shutil.copytree(kept, environment.site_packages / "six-1.16.0.dist-info")
    assert "six is installed 2 times" in findings(environment)["installed twice"].what


def test_a_module_for_numpy_1_beside_numpy_2_is_found(environment: Scratch) -> None:
    environment.install("pandas==2.0.3", "numpy==2.2.6", "python-dateutil", "pytz", "tzdata", "six")
    assert environment.calls_itself_compatible()
    assert "built for NumPy 1.x" in findings(environment)["numpy"].what
    code, said = environment.run("import pandas")
    assert code != 0, said


def test_a_wheel_for_another_python_is_found(environment: Scratch) -> None:
    environment.install("markupsafe==3.0.2")
    wheel = environment.site_packages / "markupsafe-3.0.2.dist-info" / "WHEEL"
    if not wheel.exists():
        wheel = environment.site_packages / "MarkupSafe-3.0.2.dist-info" / "WHEEL"
    wheel.write_text(wheel.read_text().replace("cp311", "cp39"))
    assert "for another Python" in findings(environment)["wheel"].what


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
    assert "aarch64" in findings(environment)["processor"].what


def test_what_pip_check_finds_is_found_too(environment: Scratch) -> None:
    environment.install("pandas==2.2.3", "numpy==2.2.6")
    assert not environment.calls_itself_compatible()
    assert "python-dateutil" in findings(environment)["requirements"].evidence


def test_a_record_that_is_gone_is_found(environment: Scratch) -> None:
    environment.install("six==1.17.0")
    (environment.site_packages / "six-1.17.0.dist-info" / "RECORD").unlink()
    assert "six 1.17.0" in findings(environment)["record"].what


def test_the_folder_names_the_environment_as_well_as_its_python(environment: Scratch) -> None:
    environment.install("six==1.17.0")
    assert read_environment(environment.folder).distributions == read_environment(environment.python).distributions


def test_what_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_environment(tmp_path)
    with pytest.raises(BadInput, match="is not a working Python"):
        read_environment(tmp_path / "python")
