"""What gates refuse is made again: the layers that hurt go back to float16, until it passes or nothing is left."""

from __future__ import annotations

import dataclasses
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from envguard_payload.contract import (
    Gate,
    ModelRecipe,
    Processor,
    QuantizedModel,
    QuantizeFindings,
    RecipeDocument,
    RecipeSummary,
    RecipeTrial,
    RefusedAttempt,
    Request,
    StepFindings,
    Timing,
)
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import drafting, putting_back, recipes, refining, retrying
from envguard_payload.int8.goals import BALANCED
from envguard_payload.int8.recipes import Treatment
from envguard_payload.measuring import accuracy, bench, output_gates
from envguard_payload.steps import compare, quantize
from payload_support.requests import Silent, request

CHANNELS, LAYERS, ATTEMPTS = 32, 6, 5
FLOAT, INT8 = Treatment.FLOAT.value, Treatment.WEIGHTS.value


def network(delicate: tuple[int, ...] = ()) -> bytes:
    """Convolutions in a row, with a TANH each; channels of delicate ones have a weight that leaves the others no steps.

    Such a weight is on a channel that the layer before gives zeros in, so that it counts for nothing.
    """
    random = np.random.default_rng(0)
    build = GraphBuilder()
    tensors = [build.tensor(f"t{number}", (1, 8, 8, CHANNELS)) for number in range(LAYERS + 1)]
    for number, (source, target) in enumerate(zip(tensors, tensors[1:])):  # noqa: B905, RUF007 - Python 3.9
        kernel = random.normal(0, 0.06, (CHANNELS, 3, 3, CHANNELS)).astype(np.float32)
        kernel[-1] = 0.0
        kernel[:, :, :, -1] = 0.0
        if number in delicate:
            kernel[:-1, 0, 0, -1] = 30.0
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        linear = build.tensor(f"linear{number}", (1, 8, 8, CHANNELS))
        bias = build.constant(f"bias{number}", np.zeros(CHANNELS, np.float32))
        build.operator(
            BuiltinOperator.CONV_2D, [source, build.constant(f"kernel{number}", kernel), bias], [linear], options
        )
        build.operator(BuiltinOperator.TANH, [linear], [target])
    return bytes(models.save(build.finish(tensors[:1], tensors[-1:])))


def layers_of(recipe: ModelRecipe) -> list[str]:
    return [word for count, word in recipe.layers for _ in range(count)]


def in_float(found: QuantizeFindings, name: str = "net") -> list[int]:
    return [number for number, word in enumerate(layers_of(found.recipe.models[name])) if word == FLOAT]


class Retried(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.attempts: list[StepFindings] = []

    def tried(self, data: bytes, limit: float, always: Gate | None = None, **options: Any) -> list[StepFindings]:
        """Quantize and compare as a run does it, the output's cosine held against a limit; what each attempt made.

        The gate `always` refuses everything.
        """
        model = self.folder / "net.tflite"
        model.write_bytes(data)
        refused: list[RefusedAttempt] = []
        made: list[StepFindings] = []
        while len(made) < ATTEMPTS:
            folder = self.folder / str(len(made))
            folder.mkdir()
            inputs = {"model": (model,)}
            if made:
                inputs["refused:quantized"] = (self.folder / str(len(made) - 1) / made[-1].files["quantized"],)
            left = ATTEMPTS - len(made) - 1
            order = Request("steps.quantize", inputs, folder, options, refused=tuple(refused), attempts_left=left)
            result = quantize.run(order, Silent())
            if result.values is None:
                return [*made, result]
            made.append(result)
            files = {"original": model, "quantized": folder / result.files["quantized"]}
            judged = compare.run(request("compare", folder, files, {"min_cosine": limit, "profile": False}), Silent())
            failures = (always,) if always else (*result.failures, *judged.failures)
            if not failures:
                return made
            refused.append(RefusedAttempt("quantize", failures, result.values))
        return made

    def test_the_layer_that_hurts_most_goes_back_to_float16_and_the_rest_stays_int8(self) -> None:
        first, second = self.tried(network(delicate=(3,)), 0.999)
        self.assertEqual(in_float(first.values), [])
        self.assertEqual(in_float(second.values), [3])
        self.assertLess(second.values.ratio, 0.45)
        (model,) = second.values.models
        self.assertEqual(int(np.argmax(model.layer_errors)), 3)
        outcomes = [(trial.name, trial.outcome) for trial in model.candidates]
        self.assertEqual(
            outcomes,
            [
                (refining.UNSEARCHED, "refused: inaccurate"),
                (f"{refining.UNSEARCHED}, but 1 layers in float16", "taken"),
            ],
        )

    def test_where_one_layer_is_not_enough_more_go_at_once(self) -> None:
        made = self.tried(network(delicate=(1, 3, 4)), 0.9999)
        self.assertTrue({1, 3, 4} <= set(in_float(made[-1].values)), [in_float(each.values) for each in made])
        self.assertLess(len(in_float(made[-1].values)), LAYERS)
        self.assertLessEqual(len(made), 3)

    def test_where_nothing_passes_the_last_has_something_in_int8_or_nothing_is_left(self) -> None:
        made = self.tried(network(), 0.9, always=refusing(0.9, 0.99, "net"))
        floats = [len(in_float(each.values)) for each in made if each.values is not None]
        self.assertEqual(floats, sorted(set(floats)), "each attempt leaves more in float")
        self.assertLess(floats[-1], LAYERS)
        self.assertTrue(made[-1].values is None or len(made) == ATTEMPTS)

    def test_a_given_recipe_is_the_last_word(self) -> None:
        recipe = RecipeDocument("balanced", {"net": ModelRecipe(((LAYERS, INT8),), low_rank=False)})
        first, second = self.tried(network(delicate=(3,)), 0.999, recipe=recipe_json(recipe))
        self.assertTrue(first.final)
        self.assertEqual(second, StepFindings())


def recipe_json(recipe: RecipeDocument) -> dict[str, Any]:
    return {
        "goal": recipe.goal,
        "models": {
            name: {"layers": [list(run) for run in each.layers], "low_rank": each.low_rank}
            for name, each in recipe.models.items()
        },
    }


def refusing(measured: float, limit: float, *models: str, unit: str = "", name: str = "landmark-shift") -> Gate:
    return Gate(name, name, passed=False, measured=measured, limit=limit, unit=unit, models=models)


def trial(name: str, error: float, ratio: float, outcome: str = "lost", ints: int = 3) -> RecipeTrial:
    """A recipe with as many of four layers in int8, the first ones."""
    runs = tuple((count, word) for count, word in ((ints, INT8), (4 - ints, FLOAT)) if count)
    time = Timing(1.0, ratio, 0.0, 0.0, ratio, ratio, ratio, ratio, ratio, 10, 0, True, False, "")
    return RecipeTrial(name, 100, error, time, outcome, ModelRecipe(runs, low_rank=False))


class Listed(unittest.TestCase):
    """What the search tried already comes first, if it promises to pass."""

    TRIALS = (
        trial("float16", 0.0, 1.0, ints=0),
        trial("everything", 2.0, 0.8, "taken", ints=4),
        trial("half", 0.9, 0.9, ints=2),
        trial("quarter", 0.5, 0.7, ints=1),
    )

    def listed(self, gate: Gate, *trials: RecipeTrial) -> str | None:
        again = refining.Again(None, 100, (gate,), trials or self.TRIALS)
        found = refining._listed(again, BALANCED, 1000)
        return None if found is None else found.name

    def test_the_cheapest_with_an_error_that_the_gate_has_room_for(self) -> None:
        self.assertEqual(self.listed(refusing(0.4, 0.3)), "quarter")
        slow = [dataclasses.replace(each, bytes=300) if each.name == "quarter" else each for each in self.TRIALS]
        self.assertEqual(self.listed(refusing(0.4, 0.3), *slow), "half")
        self.assertEqual(self.listed(refusing(0.4, 0.15), *slow), "quarter")

    def test_none_that_is_too_far_off_or_float(self) -> None:
        self.assertIsNone(self.listed(refusing(0.4, 0.01)))

    def test_none_that_was_refused_already(self) -> None:
        tried = [dataclasses.replace(each, outcome="refused: x") if each.bytes else each for each in self.TRIALS]
        self.assertIsNone(self.listed(refusing(0.4, 0.3), *tried[:1], self.TRIALS[1], *tried[2:]))

    def test_for_time_the_fastest_that_is_faster(self) -> None:
        slower = refusing(1.2, 1.05, unit=refining.RATIO, name="slower-than-limit")
        self.assertEqual(self.listed(slower), "quarter")
        self.assertIsNone(self.listed(slower, *self.TRIALS[:3][:1], trial("everything", 2.0, 0.6, "taken")))


class Room(unittest.TestCase):
    def test_shifts_grow_with_the_error_and_cosines_with_its_square(self) -> None:
        self.assertAlmostEqual(putting_back._room(refusing(0.4, 0.2)), putting_back.SAFETY / 4)
        self.assertAlmostEqual(putting_back._room(refusing(0.9, 0.95)), putting_back.SAFETY / 2)
        self.assertEqual(putting_back._room(refusing(0.9, 1.0)), 0.0)
        self.assertEqual(putting_back._room(Gate("silent-zeros", "Not silent", passed=False)), 1.0)


class Fewer(unittest.TestCase):
    """How many layers go back where the gates' own measure tells, and where only the room that they leave does."""

    DELICATE = (1, 3, 4)

    def setUp(self) -> None:
        self.data = network(self.DELICATE)
        random = np.random.default_rng(1)
        batches = tuple([random.normal(0, 1, (1, 8, 8, CHANNELS)).astype(np.float32)] for _ in range(2))
        self.inputs = accuracy.Inputs("held-out", batches, ((0.0, 1.0),))
        self.draft = drafting.Draft.of(
            models.load(self.data, "net"), "net", BALANCED, file_bytes=len(self.data), arrays={}, compressed_from=None
        )
        self.everything = recipes.everything(self.draft.layers, products=False)

    def fewer(self, gate: Gate, original: bytes) -> list[int]:
        """The layers that go back to float16 for that gate."""
        tried = bench.Bench(original, self.inputs, bench.Subject("net"))
        refusal = putting_back.Refusal(self.everything, (gate,), tried)
        errors = putting_back.layer_errors(self.draft, refusal)
        recipe = putting_back.fewer(self.draft, refusal, errors, 1, keep_one=False)
        return [number for number, each in enumerate(recipe.treatments) if each is Treatment.FLOAT]

    def test_as_few_as_pass_the_gate_that_refused_an_output(self) -> None:
        name = bench.Bench(self.data, self.inputs).names[0]
        real = output_gates.REALLY_INACCURATE
        gate = Gate(real.name, real.what, False, output_gates.subject(name, "net"), 0.99, 0.9999)
        self.assertEqual(self.fewer(gate, self.data), list(self.DELICATE))

    def test_what_float16_leaves_no_room_for_either_does_not_send_every_layer_back(self) -> None:
        """The copy is of another model than the original: that error no layer takes away, as with low rank."""
        other = models.load(self.data, "net")
        for buffer in other.buffers:
            if buffer.data is not None and len(buffer.data) > CHANNELS * 4:
                kernel = np.frombuffer(bytes(buffer.data), np.float32) * 1.02
                buffer.data = np.frombuffer(kernel.astype(np.float32).tobytes(), np.uint8)
        back = self.fewer(refusing(0.4, 0.1, "net"), bytes(models.save(other)))
        self.assertTrue(set(self.DELICATE) & set(back))
        self.assertLess(len(back), LAYERS)


def model(name: str, *, saved: int, error: float, int8: bool = True) -> QuantizedModel:
    trials = (dataclasses.replace(trial("int8 weights", error, 1.0), outcome="taken"),)
    return QuantizedModel(name, 1000, 1000 - saved, int8, RecipeSummary(""), trials, ())


class Planned(unittest.TestCase):
    MODELS = (
        model("eye", saved=100, error=0.1),
        model("face", saved=500, error=1.0),
        model("left", saved=0, error=0, int8=False),
    )

    def planned(self, *gates: Gate, left: int = 3) -> dict[str, refining.Again]:
        recipe = RecipeDocument("balanced", {each.name: ModelRecipe(((4, INT8),), False) for each in self.MODELS})
        cpu = Processor("", "", ())
        found = QuantizeFindings(3000, 2000, "", "", 0.7, recipe, cpu, (), self.MODELS)
        refused = (RefusedAttempt("quantize", gates, found),)
        return dict(retrying.plan(Request("steps.quantize", {}, Path(), refused=refused, attempts_left=left)))

    def test_a_gate_that_names_models_blames_the_likeliest_in_int8(self) -> None:
        self.assertEqual(list(self.planned(refusing(1, 0.5, "left", "eye", "face"))), ["eye"])
        self.assertEqual(self.planned(refusing(1, 0.5, "left")), {})

    def test_a_gate_that_names_none_blames_the_one_with_most_error_for_what_it_saves(self) -> None:
        self.assertEqual(list(self.planned(refusing(1, 0.5))), ["face"])

    def test_every_model_that_is_blamed_is_made_again(self) -> None:
        planned = self.planned(refusing(1, 0.5, "eye"), refusing(0.9, 0.95, "face", name="inaccurate"), left=0)
        self.assertEqual(list(planned), ["eye", "face"])
        self.assertTrue(all(each.last and each.alone for each in planned.values()))
        self.assertFalse(self.planned(refusing(1, 0.5, "eye"))["eye"].alone)

    def test_what_no_recipe_changes_ends_the_search(self) -> None:
        self.assertEqual(self.planned(refusing(0.97, 0.95, "face", name="no-op")), {})
        self.assertEqual(self.planned(refusing(1, 0.5, "eye"), Gate("io-changed", "", False, models=("eye",))), {})


if __name__ == "__main__":
    unittest.main()
