"""Which file a quantized one was made from: the one that is named, or the one that the receipt beside it names."""

from __future__ import annotations

from pathlib import Path

from envguard.cli.sources import named_source
from envguard.errors import EnvguardError
from envguard.files import file_facts
from envguard.models.quantizing import TASK
from envguard.payload.contract import SAMPLE
from envguard.running.checking_files import check_input
from envguard.running.environments.preparing import Workshop
from envguard.running.receipt import SUFFIX, Receipt, ReceiptFile
from envguard.running.receipts.reading import read_receipt

INPUT = "input"


def original_of(bundle: Path, named: str | None, workshop: Workshop) -> Path | None:
    """The original of a bundle; None if none is named, and its receipt has none that is here with the recorded bytes.

    Raises BadInput where the named one cannot be read.
    """
    if named is not None:
        source = named_source(named, workshop)
        check_input(source)
        return source
    receipt = _receipt_of(bundle)
    return None if receipt is None else _recorded(receipt.inputs[INPUT], bundle.absolute().parent, workshop)


def _receipt_of(bundle: Path) -> Receipt | None:
    """The receipt beside a bundle, if it is of these very bytes."""
    path = Path(f"{bundle}{SUFFIX}")
    if not path.is_file():
        return None
    try:
        receipt = read_receipt(path)
    except EnvguardError:
        return None
    made = {file.sha256 for file in receipt.outputs.values()}
    known = receipt.intact and receipt.task == TASK and INPUT in receipt.inputs
    return receipt if known and file_facts(bundle).sha256 in made else None


def _recorded(file: ReceiptFile, folder: Path, workshop: Workshop) -> Path | None:
    """The file as it lies beside the receipt, or as the sample that it was; only with the recorded bytes."""
    possible = [folder / file.file]
    named = file.source.name if file.source is not None and file.source.source == SAMPLE else ""
    sample = workshop.catalog.samples.get(named)
    if sample is not None and any(each.sha256 == file.sha256 for each in sample.files):
        possible += workshop.sample(sample.name).values()
    return next((path for path in possible if path.is_file() and file_facts(path).sha256 == file.sha256), None)
