"""Sparse constants are expanded exactly, damaged ones refused, and mostly-zero ones stored as sparse again."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from envguard_payload.graph import constants
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import dead_code, densify, store_sparse
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.protocol import Refused


def level(size: int) -> Any:
    metadata = generated.DimensionMetadataT()
    metadata.format, metadata.denseSize = generated.DimensionType.DENSE, size
    return metadata


def compressed(segments: list[int], indices: list[int]) -> Any:
    metadata = generated.DimensionMetadataT()
    metadata.format = generated.DimensionType.SPARSE_CSR
    metadata.arraySegmentsType = metadata.arrayIndicesType = generated.SparseIndexVector.Uint8Vector
    metadata.arraySegments, metadata.arrayIndices = generated.Uint8VectorT(), generated.Uint8VectorT()
    metadata.arraySegments.values = np.array(segments, np.uint8)
    metadata.arrayIndices.values = np.array(indices, np.uint8)
    return metadata


def sparse_model(values: np.ndarray, shape: tuple[int, ...], order: list[int], levels: list[Any], blocks: Any) -> Any:
    """`output = input + DENSIFY(sparse)`."""
    build = GraphBuilder()
    source, output = build.tensor("input", shape), build.tensor("output", shape)
    stored = build.constant("sparse", values)
    tensor = build.graph.tensors[stored]
    tensor.shape, tensor.sparsity = list(shape), generated.SparsityParametersT()
    tensor.sparsity.traversalOrder = np.array(order, np.int32)
    tensor.sparsity.blockMap = None if blocks is None else np.array(blocks, np.int32)
    tensor.sparsity.dimMetadata = levels
    dense = build.tensor("dense", shape)
    build.operator(BuiltinOperator.DENSIFY, [stored], [dense])
    build.operator(BuiltinOperator.ADD, [source, dense], [output], generated.AddOptionsT())
    return build.finish([source], [output])


def rows_model() -> Any:
    """[[0, 5, 0, 6], [0, 0, 7, 0]] by compressed rows."""
    levels = [level(2), compressed([0, 2, 3], [1, 3, 2])]
    return sparse_model(np.array([5, 6, 7], np.float32), (2, 4), [0, 1], levels, None)


class Densify(unittest.TestCase):
    def assert_dense(self, model: Any, expected: list[list[float]]) -> None:
        report = densify.apply(model)
        self.assertEqual((report.changed, report.lossless), (1, True))
        dense = constants.values(model, model.subgraphs[0].tensors[3])
        np.testing.assert_array_equal(dense, np.array(expected, np.float32))
        self.assertEqual(len(model.subgraphs[0].operators), 1)

    def test_compressed_rows(self) -> None:
        self.assert_dense(rows_model(), [[0, 5, 0, 6], [0, 0, 7, 0]])

    def test_compressed_columns(self) -> None:
        levels = [level(4), compressed([0, 0, 1, 2, 3], [0, 1, 0])]
        model = sparse_model(np.array([5, 7, 6], np.float32), (2, 4), [1, 0], levels, None)
        self.assert_dense(model, [[0, 5, 0, 6], [0, 0, 7, 0]])

    def test_blocks_of_two_by_two(self) -> None:
        levels = [level(1), compressed([0, 1], [1]), level(2), level(2)]
        model = sparse_model(np.array([1, 2, 3, 4], np.float32), (2, 4), [0, 1, 2, 3], levels, [0, 1])
        self.assert_dense(model, [[0, 0, 1, 2], [0, 0, 3, 4]])

    def test_the_runtime_agrees(self) -> None:
        before = models.save(rows_model())
        model = models.load(before, "rows")
        densify.apply(model)
        zeros = [np.zeros((2, 4), np.float32)]
        np.testing.assert_array_equal(Runner(before).answer(zeros)[0], Runner(models.save(model)).answer(zeros)[0])

    def test_damage_is_refused(self) -> None:
        levels = {
            "an index past the row": [level(2), compressed([0, 2, 3], [1, 9, 2])],
            "segments that run backwards": [level(2), compressed([3, 2, 0], [1, 3, 2])],
            "more segments than values": [level(2), compressed([0, 2, 200], [1, 3, 2])],
            "a level too few": [level(2)],
            "a level that claims gigabytes": [level(1 << 30), compressed([0, 2, 3], [1, 3, 2])],
        }
        for name, damaged in levels.items():
            with self.subTest(name), self.assertRaises(Refused):
                densify.apply(sparse_model(np.array([5, 6, 7], np.float32), (2, 4), [0, 1], damaged, None))


class StoreSparse(unittest.TestCase):
    def model(self, weights: np.ndarray) -> tuple[Any, np.ndarray]:
        build = GraphBuilder()
        source, output = build.tensor("input", weights.shape), build.tensor("output", weights.shape)
        stored, dense = build.constant("weights", weights), build.tensor("dense", weights.shape)
        quantization = generated.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = np.array([0.5], np.float32), np.array([0], np.int64)
        if weights.dtype == np.int8:
            build.graph.tensors[stored].quantization = quantization
        build.operator(BuiltinOperator.DEQUANTIZE, [stored], [dense], generated.DequantizeOptionsT())
        build.model.operatorCodes[0].version = 3
        build.operator(BuiltinOperator.ADD, [source, dense], [output], generated.AddOptionsT())
        return build.finish([source], [output]), np.zeros(weights.shape, np.float32)

    def weights(self, dtype: type, share: float) -> np.ndarray:
        random = np.random.default_rng(0)
        chosen = random.integers(1, 100, (64, 1, 1, 48)) * (random.random((64, 1, 1, 48)) < share)
        return chosen.astype(dtype)

    def test_mostly_zeros_shrink_and_answer_the_same(self) -> None:
        for dtype in (np.int8, np.float16):
            model, zeros = self.model(self.weights(dtype, 0.2))
            before = models.save(model)
            report = store_sparse.apply(model)
            dead_code.apply(model)
            after = models.save(model)
            self.assertEqual((report.changed, report.lossless), (1, True))
            self.assertLess(len(after), len(before))
            np.testing.assert_array_equal(Runner(before).answer([zeros])[0], Runner(after).answer([zeros])[0])

    def test_dense_weights_are_left_alone(self) -> None:
        model, _ = self.model(self.weights(np.int8, 0.9))
        self.assertEqual(store_sparse.apply(model).changed, 0)


if __name__ == "__main__":
    unittest.main()
