"""Hold a model's metadata back while the quantizer works, so that it comes out byte for byte as it went in.

The quantizer renumbers buffers and leaves the older of the two lists of metadata buffers pointing at the wrong ones.
Lossless: metadata does not enter computation, but MediaPipe needs it (`Input tensor has type float32: it requires
specifying NormalizationOptions metadata`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .schema import BufferT, ModelT, generated


@dataclass(frozen=True)
class Metadata:
    """Entries in order, as (name, bytes); and the bytes of the buffers in the older, nameless list."""

    entries: tuple[tuple[bytes, bytes], ...]
    nameless: tuple[bytes, ...]


def take(model: ModelT) -> Metadata:
    """Remove the metadata from the model; its buffers stay behind, unused."""
    taken = Metadata(
        tuple((bytes(entry.name or b""), _bytes(model, entry.buffer)) for entry in model.metadata),
        tuple(_bytes(model, buffer) for buffer in model.metadataBuffer),
    )
    model.metadata, model.metadataBuffer = [], []
    return taken


def give_back(model: ModelT, metadata: Metadata) -> None:
    """Append what `take` removed, in new buffers and the same order."""
    for name, data in metadata.entries:
        entry = generated.MetadataT()
        entry.name, entry.buffer = name, _add(model, data)
        model.metadata.append(entry)
    for data in metadata.nameless:
        model.metadataBuffer.append(_add(model, data))


def _bytes(model: ModelT, buffer: int) -> bytes:
    data = model.buffers[buffer].data
    return b"" if data is None else np.asarray(data, np.uint8).tobytes()


def _add(model: ModelT, data: bytes) -> int:
    buffer = BufferT()
    buffer.data = np.frombuffer(data, np.uint8) if data else None
    model.buffers.append(buffer)
    return len(model.buffers) - 1
