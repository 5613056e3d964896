"""PyTorch for CPUs comes from an index of its own, as the page says, and what its other build brings stays away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import read_lock
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.local_index import make_authority, make_wheel, serving
from tests.support.pages import CHECKOUT
from tests.support.projects import trusted

PAGE = CHECKOUT / "docs" / "projects.md"
NAMED = "https://pytorch.example/whl/cpu"


def recipe() -> str:
    """What the page says to write."""
    (found,) = (each for each in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL) if NAMED in each)
    return str(found)


@pytest.mark.slow
def test_the_recipe_for_processors_alone_locks_and_builds(tmp_path: Path, host: HostFacts) -> None:
    usual, cpu, project = (tmp_path / name for name in ("usual", "cpu", "project"))
    for folder in (usual, cpu, project):
        folder.mkdir()
    make_wheel(usual, "litert_torch", "0.10.0", needs=("torch>=2.4", "numpy"), code="import torch, numpy")
    make_wheel(usual, "torch", "2.14.1", needs=("nvidia-cublas",))
    make_wheel(usual, "nvidia_cublas", "13.1")
    make_wheel(usual, "numpy", "2.4.6")
    make_wheel(cpu, "torch", "2.14.1+cpu", needs=("numpy",))
    make_wheel(cpu, "numpy", "9.0")  # such indexes serve more than one wants from them
    authority, python = make_authority(tmp_path), minor_of(host.usable[0])
    with serving(usual, authority) as first, serving(cpu, authority, dated=False) as second:
        text = f'schema = 1\npythons = ["{python}"]\n' + recipe().replace(NAMED, second.url())
        (project / "envguard.toml").write_text(text, encoding="utf-8")
        environ = {"UV_DEFAULT_INDEX": first.url(), "SSL_CERT_FILE": str(authority.certificate)}
        trusted(project)
        ended = envguard("lock", home=tmp_path / "home", cwd=project, **environ)
        assert ended.code == 0, ended.err
        (path,) = (project / "lockfiles" / "torch" / "1").glob("cp3*.txt")
        lock = read_lock(path)
        assert {each.name: (each.version, each.index) for each in lock.packages} == {
            "litert-torch": ("0.10.0", ""),
            "numpy": ("2.4.6", ""),
            "torch": ("2.14.1+cpu", "pytorch-cpu"),
        }
        assert "localhost" not in lock.text()
        trusted(project)
        say = ("exec", "torch", "--", "python", "-c", "import litert_torch, torch; print(torch.version)")
        ended = envguard(*say, home=tmp_path / "home", cwd=project, **environ)
        assert (ended.code, ended.out.strip()) == (0, "2.14.1+cpu"), ended.err
