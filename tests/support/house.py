"""The rules of the house: each finds what is against it in the sources, as keys that say where."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grimp
from vulture import Vulture

from envguard.cli.app import root
from envguard.commands import COMMANDS

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE_LINES, FUNCTION_LINES, PARAMETERS, MODULES_IN_A_FOLDER, IMPORTS_INSIDE = 350, 40, 6, 20, 20
WORDS_OF_MODELS = re.compile(r"mediapipe|landmark|blendshape|tflite", re.IGNORECASE)
KNOW_NO_MODELS = ("envguard/cli/", "envguard/report/", "envguard/running/")
Function = ast.FunctionDef | ast.AsyncFunctionDef
CONFIDENCE = 60  # of vulture's, in percent: the least that it gives to what nothing names


@dataclass(frozen=True)
class Source:
    """A file of Python: its path in the checkout, its text, and what that parses to."""

    path: str
    text: str
    tree: ast.Module

    @property
    def product(self) -> bool:
        """Whether it is in the wheel, and not a test."""
        return self.path.startswith("envguard/")

    @property
    def host(self) -> bool:
        """Whether it runs on the host, and not inside an environment."""
        return self.product and not self.path.startswith("envguard/payload/")


def read(path: str, text: str) -> Source:
    """A source from its text."""
    return Source(path, text, ast.parse(text))


@cache
def sources() -> tuple[Source, ...]:
    """Every module of envguard and of its tests."""
    files = [file for folder in ("envguard", "tests") for file in sorted((CHECKOUT / folder).rglob("*.py"))]
    return tuple(read(file.relative_to(CHECKOUT).as_posix(), file.read_text(encoding="utf-8")) for file in files)


def long_modules(sources: Iterable[Source]) -> Iterator[str]:
    """Modules, tests among them, of more than 350 lines."""
    for source in sources:
        if len(source.text.splitlines()) > MODULE_LINES:
            yield source.path


def long_functions(sources: Iterable[Source]) -> Iterator[str]:
    """Functions of more than 40 lines; a command's options do not count."""
    options = commands()
    for source in sources:
        for name, function in _functions(source):
            first = function.body[0].lineno if (source.path, function.name) in options else function.lineno
            if source.product and (function.end_lineno or 0) - first >= FUNCTION_LINES:
                yield f"{source.path}:{name}"


def many_parameters(sources: Iterable[Source]) -> Iterator[str]:
    """Functions of more than 6 parameters; a command's are options and do not count."""
    options = commands()
    for source in sources:
        for name, function in _functions(source):
            given = function.args
            names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            count = len([each for each in names if each not in ("self", "cls")])
            if source.product and count > PARAMETERS and (source.path, function.name) not in options:
                yield f"{source.path}:{name}"


def imports_inside(sources: Iterable[Source]) -> Iterator[str]:
    """Imports inside functions of what runs on the host, by function and module."""
    for source in sources:
        for name, function in _functions(source) if source.host else ():
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    yield f"{source.path}:{name} {'.' * node.level}{node.module or ''}"
                elif isinstance(node, ast.Import):
                    yield f"{source.path}:{name} {node.names[0].name}"


def untyped_values(sources: Iterable[Source]) -> Iterator[str]:
    """Modules that pass on JSON, as dictionaries of anything, where they could pass on a value."""
    for source in sources:
        if source.product and "[str, Any]" in source.text:
            yield source.path


def tests_that_import_tests(sources: Iterable[Source]) -> Iterator[str]:
    """Tests that import what is not in `tests/support/`, also in a program that they write."""
    for source in sources:
        for module in re.findall(r"^\s*(?:from|import)\s+(tests\b[\w.]*)|; from (tests\b[\w.]*)", source.text, re.M):
            if not source.product and not "".join(module).startswith("tests.support"):
                yield f"{source.path} {''.join(module)}"


def full_folders(sources: Iterable[Source]) -> Iterator[str]:
    """Folders of envguard with more than 20 modules."""
    folders = Counter(
        Path(source.path).parent.as_posix()
        for source in sources
        if source.product and not source.path.endswith("__init__.py")
    )
    for folder, count in folders.items():
        if count > MODULES_IN_A_FOLDER:
            yield folder


def words_of_models(sources: Iterable[Source]) -> Iterator[str]:
    """Modules that name something of models where nobody is to know what a model is."""
    for source in sources:
        if source.path.startswith(KNOW_NO_MODELS) and WORDS_OF_MODELS.search(source.text):
            yield source.path


def circles(graph: grimp.ImportGraph) -> Iterator[str]:
    """Imports from which a way leads back, also those inside functions and those for types alone."""
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            if graph.find_shortest_chain(imported, importer) is not None:
                yield f"{importer} {imported}"


def import_graph() -> grimp.ImportGraph:
    """All modules of envguard and what they import."""
    return grimp.build_graph("envguard", cache_dir=None)


def dead_code(sources: Iterable[Source]) -> Iterator[str]:
    """What nothing in envguard names: a test that does is not enough; fields of values and of others do not count."""
    product = [source for source in sources if source.product]
    vulture = Vulture(ignore_decorators=["@*.command*", "@*.callback*"])
    for source in product:
        vulture.scan(source.text, filename=source.path)
    loaded = {name for source in product for name in re.findall(r"\"envguard[\w.]*[.:](\w+)\"", source.text)}
    fields = {source.path: set(_fields(source.tree)) for source in product}
    for item in vulture.get_unused_code(min_confidence=CONFIDENCE):
        path, line = str(item.filename), item.first_lineno
        if item.typ != "attribute" and item.name not in loaded and line not in fields[path]:
            yield f"{path}:{item.name}"


@cache
def commands() -> frozenset[tuple[str, str]]:
    """The functions that the command line calls: file and name."""
    found = set()
    waiting: list[Any] = [root(COMMANDS)]
    while waiting:
        command = waiting.pop()
        waiting.extend(child.load() for child in getattr(command, "commands", {}).values())
        if command.callback is not None:
            code = inspect.unwrap(command.callback).__code__
            found.add((Path(code.co_filename).resolve().relative_to(CHECKOUT).as_posix(), code.co_name))
    return frozenset(found)


RULES: tuple[Callable[[Iterable[Source]], Iterator[str]], ...] = (
    long_modules,
    long_functions,
    many_parameters,
    imports_inside,
    untyped_values,
    tests_that_import_tests,
    full_folders,
    words_of_models,
    dead_code,
)


def _functions(source: Source) -> Iterator[tuple[str, Function]]:
    """Each function with its name, after that of its class; one inside another is a part of it."""
    for node in source.tree.body:
        for each in _definitions(node):
            if isinstance(each, Function):
                yield each.name, each
            elif isinstance(each, ast.ClassDef):
                yield from ((f"{each.name}.{inner.name}", inner) for inner in each.body if isinstance(inner, Function))


def _definitions(node: ast.AST) -> Iterator[ast.AST]:
    """Functions and classes, also those behind an `if` or a `try`."""
    if isinstance(node, (ast.ClassDef, *Function.__args__)):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _definitions(child)


def _fields(tree: ast.Module) -> Iterator[int]:
    """The lines of the fields of values, which JSON has by their names, and of the choices of an enumeration."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            for each in node.body:
                if isinstance(each, ast.AnnAssign) or (isinstance(each, ast.Assign) and "Enum" in bases):
                    yield each.lineno
