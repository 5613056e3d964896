"""Read a receipt that anybody may have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.references import reference_of
from envguard.documents import parse_json
from envguard.errors import BadInput, BrokenData
from envguard.running.commands.outside import FromOutside, HostTool
from envguard.running.receipt import SCHEMA, Receipt, ReceiptEnvironment, ReceiptFile, ReceiptStep, seal_of
from envguard.table_reader import (
    JsonValue,
    TableReader,
    boolean,
    integer,
    json_table,
    list_of,
    match,
    name_text,
    number,
    sha256_text,
    table_of,
    text,
)

LARGEST_RECEIPT = 5_000_000
NAME_RECEIPT = "Name a file that `envguard run` wrote beside its output, such as OUT.receipt.json."
NO_TEXTS: Mapping[str, str] = {}
NO_VARIABLES: Mapping[str, bool] = {}
NOTHING_BEFORE: list[object] = []
NO_TOOLS: Mapping[str, HostTool] = {}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CODE = re.compile(r"([0-9a-f]{64})?")
_VERDICT = re.compile("yes|no|unverified")
_FILE = re.compile(r"(?!\.{1,2}\Z)[^/\x00]+")


def read_receipt(path: Path) -> Receipt:
    """Read a receipt that anybody may have written; raises BrokenData that names the place that is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_RECEIPT + 1)
        if len(raw) > LARGEST_RECEIPT:
            raise ValueError(f"it has more than {LARGEST_RECEIPT} bytes, which no receipt has")
        document = parse_json(raw.decode("utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"There is no receipt {path}.", next_step=NAME_RECEIPT) from error
    except IsADirectoryError as error:
        raise BadInput(f"{path} is a folder, not a receipt.", next_step=NAME_RECEIPT) from error
    except OSError as error:
        raise BrokenData(
            f"The receipt {path.name} cannot be read.",
            why=str(error) or type(error).__name__,
            next_step=NAME_RECEIPT,
        ) from error
    except ValueError as error:
        why = f"it is no JSON document: {error}"
        raise BrokenData(f"{path.name} cannot be read as a receipt.", why=why, next_step=NAME_RECEIPT) from error
    if not isinstance(document, dict) or not {"schema", "task", "outputs"} & document.keys():
        why = "it has none of the parts of one"
        raise BrokenData(f"{path.name} is no receipt.", why=why, next_step=NAME_RECEIPT)
    return receipt_from(document, path.name)


def receipt_from(document: object, source: str) -> Receipt:
    """A receipt from parsed JSON; `source` is the name that errors give it."""
    table = TableReader(document, source)
    unsealed = {name: value for name, value in document.items() if name != "seal"} if isinstance(document, dict) else {}
    if table.take("schema", integer) != SCHEMA:
        table.refuse("schema", f"is not {SCHEMA}, which this envguard reads")
    task, task_sha256 = table.inner("task", _read_task)
    receipt = Receipt(
        task=task,
        task_sha256=task_sha256,
        envguard=table.take("envguard", text),
        date=table.take("date", match(_MOMENT, "a moment in UTC")),
        options=table.take("options", _options),
        environments=table.each("environments", _read_environment),
        steps=table.each("steps", _read_step),
        inputs=table.named("inputs", lambda _, each: _read_file(each)),
        outputs=table.named("outputs", lambda _, each: _read_file(each)),
        file_sets=table.named_arrays("file_sets", _read_file) if "file_sets" in table else {},
        intact=table.take("seal", sha256_text, "") == seal_of(unsealed),
        verdict=table.take("verdict", match(_VERDICT, "yes, no or unverified"), ""),
        before=tuple(
            receipt_from(each, f"{source}: depends_on[{number}]")
            for number, each in enumerate(table.take("depends_on", _array, NOTHING_BEFORE))
        ),
    )
    if not receipt.outputs and not receipt.verdict:
        table.refuse("outputs", "must name at least one file")
    if any(each.before for each in receipt.before):
        table.refuse("depends_on", "must name every task once, beside the others")
    table.done()
    return receipt


def _read_task(table: TableReader) -> tuple[str, str]:
    return table.take("name", name_text), table.take("sha256", sha256_text)


def _read_environment(table: TableReader) -> ReceiptEnvironment:
    return ReceiptEnvironment(
        name=table.take("name", name_text),
        edition=table.take("edition", name_text),
        lock=table.take("lock", sha256_text),
        python=table.take("python", text),
        build=table.take("build", _any_text),
        platform=table.take("platform", text),
        libc=table.take("libc", _any_text),
        frozen=table.take("frozen", text, ""),
        project=table.take("project", table_of(sha256_text, text), NO_TEXTS),
    )


def _read_step(table: TableReader) -> ReceiptStep:
    is_command = "command" in table
    return ReceiptStep(
        name=table.take("name", name_text),
        environment=table.take("environment", name_text),
        code=table.take("code", match(_CODE, "a SHA-256 in lower-case hex, or empty")),
        seconds=table.take("seconds", number),
        reused=table.take("reused", match(_MOMENT, "a moment in UTC"), ""),
        inputs=table.named_arrays("inputs", _read_file),
        outputs=table.named_arrays("outputs", _read_file),
        run="" if is_command else table.take("run", text),
        command=table.take("command", list_of(text, least=1)) if is_command else (),
        env=table.take("env", table_of(text, text), NO_TEXTS) if is_command else None,
        outside=_read_outside(table) if is_command else FromOutside(),
    )


def _read_outside(table: TableReader) -> FromOutside:
    variables = table.take("variables", table_of(boolean, text), NO_VARIABLES)
    tools = table.inner("tools", _read_tools, NO_TOOLS)
    return FromOutside(variables, tools, table.take("network", text, ""))


def _read_tools(table: TableReader) -> Mapping[str, HostTool]:
    return {name: table.inner(name, _read_tool) for name in table.keys_of(text)}


def _read_tool(table: TableReader) -> HostTool:
    return HostTool(table.take("version", _any_text), table.take("sha256", sha256_text))


def _read_file(table: TableReader) -> ReceiptFile:
    return ReceiptFile(
        file=table.take("file", _file_name),
        bytes=table.take("bytes", integer),
        sha256=table.take("sha256", sha256_text),
        source=table.take("from", reference_of) if "from" in table else None,
        is_folder=table.take("folder", boolean, False),
    )


def _file_name(value: object) -> str:
    name = match(_FILE, "a file's name without a folder")(value)
    if Path(name).name != name:  # on Windows also `C:x` and `a\\b`
        raise ValueError("must be a file's name without a folder")
    return name


def _options(value: object) -> Mapping[str, Mapping[str, JsonValue]]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return {name_text(name): json_table(options) for name, options in value.items()}


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("must be an array")
    return value


def _any_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value
