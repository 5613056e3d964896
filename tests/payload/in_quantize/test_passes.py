"""Each lossless graph pass on a small graph: what it changes, and what it must leave alone."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from envguard_payload.graph import constants, metadata
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import dead_code, fold_float16, operator_codes, share_buffers, tensor_names
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated


def add_behind_dequantize() -> tuple[GraphBuilder, int]:
    """`output = input + dequantize(float16 constant)`, unfinished, and the index of the dequantized tensor."""
    build = GraphBuilder()
    source = build.tensor("input", (1, 4))
    stored = build.constant("weights", np.array([[0.1, -2.0, 3.5, 65504.0]], np.float16))
    weights = build.tensor("weights dequantized", (1, 4))
    output = build.tensor("output", (1, 4))
    build.operator(BuiltinOperator.DEQUANTIZE, [stored], [weights])
    build.operator(BuiltinOperator.ADD, [source, weights], [output], generated.AddOptionsT())
    build.finish([source], [output])
    return build, weights


def operator_names(model: Any) -> list[int]:
    return [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in model.subgraphs[0].operators]


class OperatorCodes(unittest.TestCase):
    def test_a_code_in_the_legacy_field_alone_is_written_into_the_new_one(self) -> None:
        build, _ = add_behind_dequantize()
        for code in build.model.operatorCodes:
            code.builtinCode = 0
        report = operator_codes.apply(build.model)
        self.assertEqual(report.changed, 1)  # ADD is 0 in both
        self.assertEqual(operator_names(build.model), [BuiltinOperator.DEQUANTIZE, BuiltinOperator.ADD])

    def test_codes_past_127_are_capped_in_the_legacy_field(self) -> None:
        build = GraphBuilder()
        source, output = build.tensor("input", (1,)), build.tensor("output", (1,))
        build.operator(BuiltinOperator.GELU, [source], [output])
        build.model.operatorCodes[0].deprecatedBuiltinCode = 0
        operator_codes.apply(build.finish([source], [output]))
        self.assertEqual(build.model.operatorCodes[0].builtinCode, BuiltinOperator.GELU)
        self.assertEqual(build.model.operatorCodes[0].deprecatedBuiltinCode, 127)


class FoldFloat16(unittest.TestCase):
    def test_the_constant_becomes_float32_and_the_operator_goes(self) -> None:
        build, weights = add_behind_dequantize()
        report = fold_float16.apply(build.model)
        self.assertEqual((report.changed, report.lossless), (1, True))
        self.assertEqual(operator_names(build.model), [BuiltinOperator.ADD])
        folded = constants.values(build.model, build.graph.tensors[weights])
        np.testing.assert_array_equal(folded, np.float32(np.array([[0.1, -2.0, 3.5, 65504.0]], np.float16)))

    def test_a_constant_with_two_dequantize_readers_is_folded_for_both(self) -> None:
        build, _ = add_behind_dequantize()
        second = build.tensor("second", (1, 4))
        build.operator(BuiltinOperator.DEQUANTIZE, [1], [second])
        build.operator(BuiltinOperator.ADD, [3, second], [build.tensor("sum", (1, 4))])
        self.assertEqual(fold_float16.apply(build.model).changed, 2)
        self.assertTrue(constants.is_constant(build.model, build.graph.tensors[second]))

    def test_an_output_of_the_graph_is_left_alone(self) -> None:
        build, weights = add_behind_dequantize()
        build.graph.outputs.append(weights)
        self.assertEqual(fold_float16.apply(build.model).changed, 0)

    def test_int8_behind_dequantize_is_left_alone(self) -> None:
        build = GraphBuilder()
        stored, output = build.constant("weights", np.ones((4,), np.int8)), build.tensor("output", (4,))
        build.operator(BuiltinOperator.DEQUANTIZE, [stored], [output])
        build.finish([], [build.tensor("other", (1,))])
        self.assertEqual(fold_float16.apply(build.model).changed, 0)


class DeadCode(unittest.TestCase):
    def test_what_reaches_no_output_is_removed_and_indices_still_fit(self) -> None:
        build, _ = add_behind_dequantize()
        build.operator(BuiltinOperator.ADD, [0, build.constant("dead", np.ones((1, 4), np.float32))], [5])
        build.tensor("result of nothing", (1, 4))
        fold_float16.apply(build.model)
        before = len(build.graph.tensors)
        report = dead_code.apply(build.model)
        self.assertGreater(report.changed, 0)
        self.assertLess(len(build.graph.tensors), before)
        names = [tensor.name for tensor in build.graph.tensors]
        self.assertEqual(names, [b"input", b"weights dequantized", b"output"])
        self.assertEqual([build.graph.inputs, build.graph.outputs], [[0], [2]])
        self.assertEqual(operator_names(build.model), [BuiltinOperator.ADD])
        models.load(models.save(build.model), "pruned")

    def test_buffers_of_metadata_and_unused_inputs_are_kept(self) -> None:
        build, _ = add_behind_dequantize()
        build.graph.inputs.append(build.tensor("unused input", (3,)))
        metadata.give_back(build.model, metadata.Metadata(((b"TFLITE_METADATA", b"for MediaPipe"),), (b"old",)))
        dead_code.apply(build.model)
        self.assertEqual(len(build.graph.inputs), 2)
        kept = metadata.take(build.model)
        self.assertEqual(kept, metadata.Metadata(((b"TFLITE_METADATA", b"for MediaPipe"),), (b"old",)))

    def test_operators_with_effects_are_kept(self) -> None:
        build, _ = add_behind_dequantize()
        handle = build.tensor("handle", (1,), TensorType.RESOURCE)
        build.operator(BuiltinOperator.VAR_HANDLE, [], [handle])
        build.operator(BuiltinOperator.ASSIGN_VARIABLE, [handle, 0], [])
        dead_code.apply(build.model)
        self.assertIn(BuiltinOperator.ASSIGN_VARIABLE, operator_names(build.model))
        self.assertIn(BuiltinOperator.VAR_HANDLE, operator_names(build.model))


class ShareBuffers(unittest.TestCase):
    def test_equal_constants_share_one_buffer(self) -> None:
        build = GraphBuilder()
        twin = [build.constant(name, np.arange(8, dtype=np.float32)) for name in ("first", "second")]
        other = build.constant("other", np.zeros(8, np.float32))
        report = share_buffers.apply(build.finish(twin, [other]))
        buffers = [build.graph.tensors[index].buffer for index in (*twin, other)]
        self.assertEqual(report.changed, 1)
        self.assertEqual(buffers[0], buffers[1])
        self.assertNotEqual(buffers[0], buffers[2])

    def test_tensors_without_values_do_not_come_to_share_anything(self) -> None:
        build, _ = add_behind_dequantize()
        self.assertEqual(share_buffers.apply(build.model).changed, 0)


class TensorNames(unittest.TestCase):
    def test_empty_and_repeated_names_become_unique_and_come_back(self) -> None:
        build, _ = add_behind_dequantize()
        old = [b"", b"same", b"same", None]
        for tensor, name in zip(build.graph.tensors, old):  # noqa: B905 - Python 3.9 has no strict=
            tensor.name = name
        names = tensor_names.make_unique(build.model)
        self.assertEqual(len({tensor.name for tensor in build.graph.tensors}), 4)
        build.graph.tensors[1].name += b"_quantized"
        build.tensor("t0_1_dequant", (1, 4))
        tensor_names.restore(build.model, names)
        self.assertEqual([tensor.name for tensor in build.graph.tensors], [b"", b"same", b"same", b"", b""])


if __name__ == "__main__":
    unittest.main()
