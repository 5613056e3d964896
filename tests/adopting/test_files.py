"""Each file that says what a project needs is read as data: what it asks for is kept, and what is not is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.adopting.found import LARGEST_FILE, Found, Wanted
from envguard.adopting.reading import read_project
from envguard.adopting.requirement_files import read_requirements
from envguard.errors import BadInput

PYTHONS = ("3.11", "3.10", "3.12")


def read(path: Path, text: str, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> Found:
    path.write_text(text, encoding="utf-8")
    return read_project(path, Wanted(extras, groups), PYTHONS)


def test_requirements_are_followed_from_file_to_file_and_constrained(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "more.txt").write_text("-r ../requirements.txt\nidna\n", encoding="utf-8")
    (tmp_path / "limits.txt").write_text("idna<4\nSix==1.16.0 ; sys_platform == 'linux'\nurllib3<3\n", encoding="utf-8")
    found = read(
        tmp_path / "requirements.txt",
        "-r inner/more.txt\n--constraint=limits.txt\nsix>=1 \\\n    ; python_version >= '3.8'  # why\n",
    )
    assert set(found.requirements) == {
        "idna",
        "idna<4",
        'six>=1; python_version >= "3.8"',
        'Six==1.16.0; python_version >= "3.8" and sys_platform == "linux"',
    }
    assert [note for note in found.notes if "urllib3<3" in note]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-e .", "-e . was left out"),
        ("--editable=git+https://me:secret@example.com/x.git", "example.com/x.git was left out"),
        ("./wheels/one-1.0-py3-none-any.whl", "wheels/one"),
        ("one @ https://me:secret@example.com/one.whl", "one from https://example.com/one.whl was left out"),
        ("six==1.0 --hash=sha256:" + "0" * 64, "Hashes were left out"),
        ("--find-links wheels", "--find-links FOLDER"),
        ("--pre", "--pre was left out"),
        ("--use-feature=new", "--use-feature new was left out"),
        ("-r https://example.com/r.txt", "no address is asked"),
        ("--index-url https://me:secret@mirror.example/simple", "user and password of https://mirror.example/simple"),
        ("--extra-index-url https://mirror.example/simple", "packages = […]"),
        ("--index-url ${SECRET_INDEX}", "no variable is read here"),
    ],
)
def test_what_is_left_out_is_said_once_and_without_secrets(tmp_path: Path, line: str, said: str) -> None:
    found = read(tmp_path / "requirements.txt", f"idna\n{line}\n{line}\n")
    assert len(found.notes) == 1
    assert said in found.notes[0]
    assert "secret" not in "".join(map(str, (found.notes, found.requirements, found.indexes)))
    assert "idna" in found.requirements


def test_extras_and_groups_are_included_by_name_alone(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "my-app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["six"]\n'
        '[project.optional-dependencies]\ncli = ["click"]\nall = ["My_App[cli]", "rich"]\n'
        '[dependency-groups]\ntest = ["iniconfig", {include-group = "lint"}]\nlint = ["packaging"]\n'
    )
    plain = read(tmp_path / "pyproject.toml", text)
    assert (plain.name, plain.requires_python, plain.requirements) == ("my-app", ">=3.10", ("six",))
    more = read(tmp_path / "pyproject.toml", text, extras=("all",), groups=("test",))
    assert more.requirements == ("six", "click", "rich", "iniconfig", "packaging")
    with pytest.raises(BadInput, match="No project can be made") as refused:
        read(tmp_path / "pyproject.toml", text, extras=("none",))
    assert "cli, all" in refused.value.next_step


def test_an_index_of_uvs_serves_what_it_is_said_to_and_nothing_else(tmp_path: Path) -> None:
    found = read(
        tmp_path / "pyproject.toml",
        '[project]\nname = "a"\ndependencies = ["torch", "six", "local"]\n'
        '[tool.uv.sources]\ntorch = {index = "cpu"}\nlocal = {path = "../local"}\n'
        '[[tool.uv.index]]\nname = "cpu"\nurl = "https://wheels.example/cpu"\nexplicit = true\n',
    )
    assert found.requirements == ("torch", "six")
    assert [(each.name, each.url, each.packages) for each in found.indexes] == [
        ("cpu", "https://wheels.example/cpu", ("torch",))
    ]
    assert any(note.startswith("local was left out") for note in found.notes)


def test_uvs_addresses_and_commits_are_kept(tmp_path: Path) -> None:
    found = read(
        tmp_path / "pyproject.toml",
        """
        [project]
        name = "a"
        dependencies = ["mine[x]>=1 ; sys_platform == 'linux'", "ours", "more"]
        [tool.uv.sources]
        mine = {url = "https://files.example/mine-1.0-py3-none-any.whl"}
        ours = {git = "https://git.example/ours", tag = "v1", subdirectory = "python"}
        more = {git = "ssh://git@git.example/more", rev = "0123456789"}
        """,
    )
    assert found.requirements == (
        'mine[x] @ https://files.example/mine-1.0-py3-none-any.whl ; sys_platform == "linux"',
        "ours @ git+https://git.example/ours@v1#subdirectory=python",
        "more @ git+ssh://git@git.example/more@0123456789",
    )


def test_the_folder_itself_is_the_project_s_own_package_where_it_can_be_installed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = []\n[project]\nname = "mine"\nversion = "1"\n')
    (tmp_path / "requirements.txt").write_text("idna\n-e .\n./wheels/one-1.0-py3-none-any.whl\n-e plugins/two\n")
    found = read_project(tmp_path / "requirements.txt", Wanted(own=True), PYTHONS)
    assert (found.own, found.name, found.requirements) == (True, "mine", ("idna",))
    assert [note.partition(" was left out: ")[2] for note in found.notes] == [
        'require it as "one @ file:wheels/one-1.0-py3-none-any.whl".',
        'project = ["plugins/two"] installs a package in the project\'s folder.',
    ]


UV_LOCK = """\
version = 1
requires-python = ">=3.10"
[[package]]
name = "app"
version = "1"
source = { virtual = "." }
dependencies = [
  { name = "one", marker = "sys_platform == 'win32'" },
  { name = "two", extra = ["more"] },
  { name = "old", marker = "python_full_version < '3.11'" },
  { name = "sdist" },
  { name = "ours" },
]
[package.dev-dependencies]
dev = [{ name = "tool" }]
[[package]]
name = "one"
version = "1.0"
source = { registry = "https://mirror.example/simple" }
dependencies = [{ name = "two" }, { name = "inner" }]
wheels = [{ url = "https://mirror.example/one-1.0-py3-none-any.whl" }]
[[package]]
name = "inner"
version = "1.0"
source = { registry = "https://mirror.example/simple" }
dependencies = [{ name = "one" }]
wheels = [{ url = "https://mirror.example/inner-1.0-py3-none-any.whl" }]
[[package]]
name = "two"
version = "2.0"
source = { registry = "https://other.example/simple" }
wheels = [
  { url = "https://other.example/two-2.0-cp310-cp310-manylinux_2_17_x86_64.whl" },
  { url = "https://other.example/two-2.0-cp311-cp311-win_amd64.whl" },
]
[package.optional-dependencies]
more = [{ name = "extra" }]
[[package]]
name = "extra"
version = "3.0"
source = { registry = "https://mirror.example/simple" }
wheels = [{ url = "https://mirror.example/extra-3.0-py3-none-any.whl" }]
[[package]]
name = "old"
version = "4.0"
source = { registry = "https://mirror.example/simple" }
wheels = [{ url = "https://mirror.example/old-4.0-py3-none-any.whl" }]
[[package]]
name = "sdist"
version = "5.0"
source = { registry = "https://mirror.example/simple" }
sdist = { url = "https://mirror.example/sdist-5.0.tar.gz" }
[[package]]
name = "ours"
version = "0.1"
source = { git = "https://git.example/ours?tag=v1&subdirectory=python#0123456789abcdef0123456789abcdef01234567" }
[[package]]
name = "tool"
version = "6.0"
source = { registry = "https://mirror.example/simple" }
wheels = [{ url = "https://mirror.example/tool-6.0-py3-none-any.whl" }]
"""


def test_a_uv_lock_becomes_pins_where_they_are_needed(tmp_path: Path) -> None:
    found = read(tmp_path / "uv.lock", UV_LOCK)
    assert (found.name, found.dependencies, found.pythons) == ("app", False, ("3.11", "3.10"))
    assert found.requirements == (
        "extra==3.0",
        "inner==1.0 ; sys_platform == 'win32'",
        "old==4.0 ; python_version == '3.10'",
        "one==1.0 ; sys_platform == 'win32'",
        "ours @ git+https://git.example/ours@0123456789abcdef0123456789abcdef01234567#subdirectory=python",
        "two==2.0",
    )
    assert [(each.name, each.packages) for each in found.indexes] == [("", ()), ("other-example", ("two",))]
    assert any("sdist 5.0 was left out: it has no wheel" in note for note in found.notes)
    assert any("Python 3.12 was left out: two 2.0" in note for note in found.notes)
    assert "tool==6.0" in read(tmp_path / "uv.lock", UV_LOCK, groups=("dev",)).requirements


def test_a_pylock_becomes_pins_with_the_groups_that_are_wanted(tmp_path: Path) -> None:
    text = 'lock-version = "1.0"\ncreated-by = "me"\nrequires-python = ">=3.11"\ndependency-groups = ["dev"]\n'
    for name, marker in (("one", ""), ("two", "'dev' in dependency_groups"), ("three", "sys_platform == 'darwin'")):
        text += f'[[packages]]\nname = "{name}"\nversion = "1.0"\n' + (f'marker = "{marker}"\n' if marker else "")
        text += f'[[packages.wheels]]\nname = "{name}-1.0-py3-none-any.whl"\nurl = "https://mirror.example/{name}"\n'
        text += f'hashes = {{sha256 = "{"0" * 64}"}}\n'
    address = "https://files.example/mine-1.0.tar.gz"
    text += f'[[packages]]\nname = "mine"\narchive = {{url = "{address}", hashes = {{sha256 = "{"0" * 64}"}}}}\n'
    found = read(tmp_path / "pylock.toml", text)
    assert (found.pythons, found.dependencies) == (("3.11", "3.12"), False)
    mine = f"mine @ {address}#sha256={'0' * 64}"
    assert found.requirements == (mine, "one==1.0", "three==1.0 ; sys_platform == 'darwin'")
    assert "two==1.0" in read(tmp_path / "pylock.toml", text, groups=("dev",)).requirements


def test_of_conda_the_pip_part_is_taken_and_what_may_be_on_the_index(tmp_path: Path) -> None:
    found = read(
        tmp_path / "environment.yml",
        "name: 'tools'  # ours\nchannels:\n- conda-forge\ndependencies:\n- python=3.11\n- conda-forge::numpy=1.26\n"
        "- six >=1.16,<2\n- scipy=1.11.4=py311_0\n- mkl=1|2\n- pip\n- pip:\n  - attrs==23.1.0\n  - -e .\n- idna\n",
    )
    assert (found.name, found.requires_python, found.requirements) == ("tools", "==3.11.*", ("attrs==23.1.0",))
    assert found.perhaps == ("numpy==1.26.*", "six<2,>=1.16", "scipy==1.11.4", "idna")
    assert sorted(note.split(" was left out")[0] for note in found.notes) == ["-e .", "mkl=1|2", "pip"]


@pytest.mark.parametrize(
    "text",
    [
        "dependencies: [six]\n",
        "dependencies: &all\n- six\n",
        "dependencies:\n- !!python/object/apply:os.system ['true']\n",
        "dependencies:\n- six: {a: b}\n",
        "dependencies:\n- |\n  six\n",
        "dependencies:\n\t- six\n",
        "other:\n- six\n",
        "dependencies:\n- conda:\n  - six\n",
    ],
)
def test_yaml_that_is_more_than_keys_and_lists_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path / "environment.yml", text)
    assert "line " in refused.value.why


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("requirements.txt", "-r gone.txt\n", "there is no such file"),
        ("requirements.txt", "-r .\n", "it is not a file"),
        ("requirements.txt", "six\n" * 6000, "more than 5,000"),
        ("requirements.txt", "six" + " " * 4_000_000 + "x", "more than 10,000 characters"),
        ("pyproject.toml", "[project", "not TOML"),
        ("pyproject.toml", '[project]\nname = "a"\ndependencies = "six"\n', "must be a list"),
        ("pyproject.toml", '[project]\nname = "a"\ndynamic = ["dependencies"]\n', "nothing of the project is run"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nsix = "*"\n', "Poetry"),
        ("pylock.toml", 'lock-version = "9.0"\n', "not a pylock.toml"),
        ("uv.lock", "version = 99\n", "version 1"),
        ("uv.lock", UV_LOCK.replace('{ name = "two" }', '{ name = "gone" }'), "has 0 such packages"),
        ("uv.lock", UV_LOCK.replace("sys_platform == 'win32'", "import os"), "not a marker"),
        ("setup.py", "import os\n", "none of those that are known"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path / name, text)
    assert why in refused.value.why
    assert refused.value.next_step


def test_only_files_of_a_reasonable_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"#" * (LARGEST_FILE + 1))
    os.mkfifo(tmp_path / "more.txt")
    for name in ("requirements.txt", "more.txt"):
        with pytest.raises(BadInput):
            read_project(tmp_path / name, Wanted(), PYTHONS)


def test_groups_that_include_each_other_are_refused(tmp_path: Path) -> None:
    text = '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n'
    with pytest.raises(BadInput) as refused:
        read(tmp_path / "pyproject.toml", text, groups=("a",))
    assert "a → b → a" in refused.value.why


@pytest.mark.timeout(60)
def test_a_marker_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    deep = "(" * 50_000 + "os_name == 'nt'" + ")" * 50_000
    pylock = 'lock-version = "1.0"\ncreated-by = "me"\n[[packages]]\nname = "one"\nversion = "1.0"\n'
    for name, text in (
        ("pylock.toml", f'{pylock}marker = "{deep}"\n'),
        ("uv.lock", UV_LOCK.replace("sys_platform == 'win32'", deep)),
    ):
        with pytest.raises(BadInput):
            read(tmp_path / name, text)
    assert "left out" in read(tmp_path / "requirements.txt", f"six\none ; {deep[-9000:]}\n").notes[0]


def test_addresses_that_tell_a_name_and_no_password_are_taken_over(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "one @ https://packages.example/one-1.0-py3-none-any.whl ; sys_platform == 'linux'\n"
        "https://packages.example/two-1.0.tar.gz --hash=sha256:abc\n"
        "git+https://git.example/team/three@main#egg=three&subdirectory=python\n"
        "git+https://git.example/team/four\n"
        "five @ git+https://me:s3cr3t@git.example/team/five\n"
    )
    found = read_requirements(tmp_path / "requirements.txt")
    assert found.requirements == (
        'one @ https://packages.example/one-1.0-py3-none-any.whl ; sys_platform == "linux"',
        "two @ https://packages.example/two-1.0.tar.gz",
        "three @ git+https://git.example/team/three@main#subdirectory=python",
    )
    assert len(found.notes) == 3
    assert "s3cr3t" not in "".join(found.notes)
