"""One model from end to end with the real quantizer and the real interpreter."""

from __future__ import annotations

import unittest

from envguard_payload.contract import Signature
from envguard_payload.files import archive
from envguard_payload.graph import facts, metadata
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import quantizing
from envguard_payload.measuring import synthetic
from envguard_payload.measuring.interpreting import CannotRun, Runner
from envguard_payload.measuring.numerics import difference
from payload_support.networks import CHANNELS, network, quantized


class Quantizing(unittest.TestCase):
    def test_weights_become_int8_and_answers_stay(self) -> None:
        before, outcome = quantized(network().model)
        self.assertLess(len(outcome.data), 0.4 * len(before))
        self.assertEqual(facts.weight_bytes(models.load(outcome.data, "it"))["INT8"], 9 * CHANNELS**2)
        arrays = synthetic.batch(Runner(before).inputs, [(0.0, 1.0)], seed=1)
        answers = [Runner(data).answer(arrays) for data in (before, outcome.data)]
        self.assertGreater(difference("output", *answers).cosine, 0.999)

    def test_names_shapes_and_types_of_inputs_and_outputs_stay(self) -> None:
        before, outcome = quantized(network().model)
        original, copy = models.load(before, "it"), models.load(outcome.data, "it")
        self.assertEqual(facts.inputs(original), facts.inputs(copy))
        self.assertEqual(facts.outputs(original), facts.outputs(copy))

    def test_the_same_model_gives_the_same_bytes(self) -> None:
        self.assertEqual(quantized(network().model)[1].data, quantized(network().model)[1].data)

    def test_metadata_and_associated_files_come_through(self) -> None:
        build = network()
        described = metadata.Metadata(((b"TFLITE_METADATA", b"for MediaPipe"), (b"empty", b"")), (b"older",))
        metadata.give_back(build.model, described)
        labels = archive.Archive((archive.Member("labels.txt", b"cat\ndog"),))
        data = archive.write(labels, after=models.save(build.model))
        outcome = quantizing.quantize(data, "network", quantizing.Order(len(data)))
        flatbuffer, attached = quantizing.split(outcome.data, "network")
        self.assertEqual(attached, labels)
        self.assertEqual(metadata.take(models.load(flatbuffer, "it")), described)

    def test_signatures_come_through(self) -> None:
        build = network()
        signature, source, target = generated.SignatureDefT(), generated.TensorMapT(), generated.TensorMapT()
        source.name, source.tensorIndex = b"picture", build.graph.inputs[0]
        target.name, target.tensorIndex = b"answer", build.graph.outputs[0]
        signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
        signature.inputs, signature.outputs = [source], [target]
        build.model.signatureDefs = [signature]
        _, outcome = quantized(build.model)
        found = facts.signatures(models.load(outcome.data, "it"))
        self.assertEqual(found, (Signature("serving_default", {"picture": "image"}, {"answer": "output"}),))

    def test_tensors_without_names_are_no_obstacle(self) -> None:
        build = network()
        for tensor in build.graph.tensors:
            tensor.name = b""
        _, outcome = quantized(build.model)
        self.assertIsNotNone(outcome.choice)
        self.assertEqual({tensor.name for tensor in models.load(outcome.data, "it").subgraphs[0].tensors}, {b""})

    def test_custom_operators_are_quantized_around(self) -> None:
        before, outcome = quantized(network(custom=True).model)
        self.assertLess(len(outcome.data), 0.4 * len(before))
        self.assertEqual(facts.custom_operators(models.load(outcome.data, "it")), ["Convolution2DTransposeBias3D"])
        with self.assertRaises(CannotRun):
            Runner(outcome.data)

    def test_a_quantized_model_is_left_alone_and_said_to_be_one(self) -> None:
        _, outcome = quantized(network().model)
        again = quantizing.quantize(outcome.data, "again", quantizing.Order(len(outcome.data)))
        self.assertTrue(again.already_quantized)
        self.assertEqual(again.data, outcome.data)

    def test_a_model_without_weights_worth_it_is_left_alone(self) -> None:
        build = GraphBuilder()
        source, output = build.tensor("input", (1, 4)), build.tensor("output", (1, 4))
        build.operator(BuiltinOperator.TANH, [source], [output])
        before, outcome = quantized(build.finish([source], [output]))
        self.assertEqual((outcome.data, outcome.choice), (before, None))
        self.assertEqual(outcome.left_alone, "it has no float weights")


if __name__ == "__main__":
    unittest.main()
