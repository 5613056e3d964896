"""`envguard verify-receipt`: is it true what a run's receipt says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.options import FrozenOption, JsonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.session import Session
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.payload.contract import RebuiltOutputs, ReceiptDocument, ReceiptedFile, to_json
from envguard.running.rebuilding import FileFound, Rebuilt, Verdict, find_inputs, find_outputs, rebuild
from envguard.running.receipt import Receipt
from envguard.running.receipts.reading import read_receipt

SHOWN = 80


def verify_receipt(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The OUT.receipt.json that `envguard run` wrote.")],
    again: Annotated[bool, typer.Option("--rebuild", help="Repeat the run and compare its outputs.")] = False,
    named: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", metavar="PATH", help="An input of the run. Default: looked up beside the receipt."
        ),
    ] = None,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the outputs beside a receipt with what it recorded; with --rebuild, make them again.

    Says MATCH, DIFF, or TOOLCHAIN DIFFERS with what differs. Exit codes: 0 MATCH; 1 another verdict; 2 no receipt, or a
    wrong input; 3 it cannot be made again here.
    """
    receipt = read_receipt(file)
    folder = file.absolute().parent
    outputs = find_outputs(receipt, folder)
    inputs = find_inputs(receipt, folder, named or ())
    rebuilt = _rebuild(ctx.obj, receipt, inputs, Selection(frozen=frozen)) if again else None
    verdict: Verdict
    if rebuilt is None:
        verdict = "MATCH" if all(each.state == "match" for each in outputs) else "DIFF"
    else:
        verdict = rebuilt.verdict
    if verdict == "MATCH" and not all(each.intact for each in (receipt, *receipt.before)):
        verdict = "DIFF"
    document = _document(receipt, verdict, outputs, inputs, rebuilt)
    typer.echo(document_text(to_json(document)) if as_json else printable(_text(document)))
    raise typer.Exit(0 if verdict == "MATCH" else 1)


def _rebuild(session: Session, receipt: Receipt, inputs: tuple[FileFound, ...], selection: Selection) -> Rebuilt:
    catalog = catalog_of(session)
    with screen() as receive:
        workshop = open_workshop(session, catalog, receive, selection)
        return rebuild(receipt, inputs, workshop)


def _document(
    receipt: Receipt,
    verdict: Verdict,
    outputs: tuple[FileFound, ...],
    inputs: tuple[FileFound, ...],
    rebuilt: Rebuilt | None,
) -> ReceiptDocument:
    return ReceiptDocument(
        verdict=verdict,
        task=receipt.task,
        date=receipt.date,
        outputs=_files(outputs),
        inputs=_files(inputs),
        rebuilt=RebuiltOutputs(
            _files(rebuilt.outputs),
            (*rebuilt.differences, *rebuilt.untrue),
            rebuilt.failure,
        )
        if rebuilt
        else None,
        intact=all(each.intact for each in (receipt, *receipt.before)),
        recorded=receipt.verdict,
        depends_on={each.task: each.verdict for each in receipt.before},
    )


def _files(found: tuple[FileFound, ...]) -> tuple[ReceiptedFile, ...]:
    return tuple(ReceiptedFile(each.name, each.file, each.state) for each in found)


def _text(document: ReceiptDocument) -> str:
    lines = [f"{document.task}, {document.date}"]
    lines += [] if document.intact else ["  the receipt itself: changed since it was written, or it never had a seal"]
    lines += [f"  depends on {name}: {verdict}" for name, verdict in document.depends_on.items()]
    lines += [f"  verdict: {document.recorded}"] if document.recorded else []
    lines += [f"  output {each.name} ({each.file}): {each.state}" for each in document.outputs]
    lines += [
        f"  input {each.name} ({each.file}): {'not here' if each.state == 'missing' else each.state}"
        for each in document.inputs
    ]
    rebuilt = document.rebuilt
    if rebuilt is not None:
        lines += [f"  rebuilt {each.name} ({each.file}): {each.state}" for each in rebuilt.outputs]
        lines += [f"  rebuilding failed: {rebuilt.failure}"] if rebuilt.failure else []
        for each in rebuilt.differences:
            lines += [f"  {each.what}: recorded {each.recorded[:SHOWN]}, here {each.found[:SHOWN]}"]
    return "\n".join([*lines, document.verdict])
