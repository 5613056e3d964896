"""Damaged models end in a refusal or in a result: never in a traceback, and never without end.

Every seed is one damaged model (`payload_support.mutations`). `ENVGUARD_DAMAGED_SEEDS=FIRST:COUNT` tries others than
the ones below.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import traceback
import unittest
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from envguard_payload.files.bundle import ModelFile
from envguard_payload.graph import model as models
from envguard_payload.graph import split_output_scales
from envguard_payload.graph.passes import (
    dead_code,
    merge_convolutions,
    share_buffers,
    split_signs,
    store_float16,
    store_int8,
    store_sparse,
    strip_names,
)
from envguard_payload.int8 import calibrated_rounding, drafting, equalizing, recipes
from envguard_payload.int8.goals import GOALS
from envguard_payload.int8.treatments import Form, Treatment
from envguard_payload.measuring import domains, interpreting
from envguard_payload.protocol import Refused
from envguard_payload.roads.lint import linted
from envguard_payload.roads.members import Runner
from envguard_payload.steps import inspect
from payload_support.mutations import Mutations

FIRST, COUNT = map(int, os.environ.get("ENVGUARD_DAMAGED_SEEDS", "0:10000").split(":"))
SECONDS = 20
RUN_ONE_IN = 20
SIGNALS = ("SIGSEGV", "SIGABRT", "SIGFPE", "SIGBUS")
MEMORY = 4 << 30
FORMS = [goal.for_form(form) for goal in GOALS.values() for form in (Form.ANY, Form.READ_DIRECTLY)]


def looked_at(data: bytes, chance: random.Random) -> None:
    """What `inspect` says of a model."""
    inspect.describe(ModelFile("model.tflite", "model", data), len(data), chance.choice(FORMS))


def judged(data: bytes, chance: random.Random) -> None:
    """What rules say of it on every road, what its inputs may hold, and what a conversion looks for in its scales."""
    model = models.load(data, "model")
    for runner in chance.sample(list(Runner), len(Runner)):
        linted(model, runner)
    domains.domains(model)
    split_output_scales.apply(model)


def rewritten(data: bytes, chance: random.Random) -> None:
    """Every pass of `quantize`, with numbers in place of what samples would show; what comes out must load again."""
    model = models.load(data, "model")
    drafting.prepare(model)
    drafting.speed_up(model, chance.choice(FORMS))
    layers = recipes.layers(model, len(data))
    treatments = tuple(chance.choice(list(Treatment)) for _ in layers)
    choice = recipes.Choice(layers, recipes.Recipe(treatments))
    outputs = {layer.output for layer in choice.operators if not layer.graph}
    merge_convolutions.apply(model, outputs)
    choice = choice.moved_to(model)
    if calibrated_rounding.takes(model):
        equalizing.apply(model, outputs, seen(model), kept=sorted(outputs)[:1])
    split_signs.apply(model, {layer.output for layer in choice.split})
    choice = choice.moved_to(model)
    store_int8.apply(model, choice.constants)
    for each in (store_float16, share_buffers, store_sparse, strip_names, dead_code):
        each.apply(model)
    models.load(models.save(model), "the result")


def seen(model: Any) -> dict[int, equalizing.Seen]:
    """What every tensor might have held."""
    chance = np.random.default_rng(0)
    found = {}
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        channels = tensor.shape[-1] if tensor.shape else 1
        if 0 < channels < 1 << 16:
            pixels = chance.normal(size=(4, channels))
            found[index] = equalizing.Seen(pixels[:2], pixels[:2] + 1.0, pixels)
    return found


@contextmanager
def limits() -> Iterator[None]:
    """So much memory, and an end to what has none."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)


def outcome(way: Any, data: bytes, seed: int) -> str:
    """`refused` or `done`, or the place at which it failed."""
    signal.alarm(SECONDS)
    try:
        way(data, random.Random(seed))
    except Refused as refused:
        return "refused" if refused.what.endswith(".") else f"no sentence: {refused.what}"
    except (Exception, KeyboardInterrupt) as cause:
        places = traceback.extract_tb(cause.__traceback__)
        own = [each for each in places if "payload" in each.filename][-1]
        return f"{way.__name__}: {type(cause).__name__}: {cause} in {own.filename.rsplit('/', 1)[-1]}:{own.lineno}"
    return "done"


def run_in_child(data: bytes) -> str:
    """How a child ends that runs the model in LiteRT: `ran`, `refused`, a signal, or with an exception of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.write(writer, answered(data).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        end = said.read()
    status = os.waitpid(child, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else end


def answered(data: bytes) -> str:
    """What running the model comes to, in this process."""
    try:
        runner = interpreting.Runner(models.save(models.load(data, "model")))
        runner.answer([np.zeros([max(size, 1) for size in port.shape], port.dtype) for port in runner.inputs])
    except (Refused, interpreting.CannotRun):
        return "refused"
    except BaseException as cause:
        return f"{type(cause).__name__}: {cause}"
    return "ran"


class DamagedModels(unittest.TestCase):
    def test_what_is_not_damaged_goes_through(self) -> None:
        with np.errstate(all="ignore"):
            for number, data in enumerate(Mutations().sources()):
                for way in (looked_at, judged, rewritten):
                    self.assertEqual(outcome(way, data, number), "done", number)
        signal.alarm(0)

    def test_every_seed_ends_in_a_refusal_or_a_result(self) -> None:
        mutations, ended = Mutations(), Counter[str]()
        failed: dict[str, int] = {}
        with limits(), np.errstate(all="ignore"):
            for seed in range(FIRST, FIRST + COUNT):
                data = mutations.damaged(seed)
                for way in (looked_at, judged, rewritten):
                    end = outcome(way, data, seed)
                    ended[end] += 1
                    if end == "refused":
                        break
                    if end != "done":
                        failed.setdefault(end, seed)
        print(f"{COUNT} damaged models from seed {FIRST}: {dict(ended)}")
        self.assertEqual(failed, {}, "what failed, and a seed of each")
        self.assertGreater(min(ended["refused"], ended["done"]), COUNT // 20)

    def test_what_runs_answers_or_is_refused_or_ends_its_process_with_a_signal(self) -> None:
        mutations = Mutations()
        ends = Counter(run_in_child(mutations.damaged(seed)) for seed in range(FIRST, FIRST + COUNT // RUN_ONE_IN))
        print(f"{COUNT // RUN_ONE_IN} of them run: {dict(ends)}")
        # LiteRT's kernels do not check everything; envguard says of a step which signal ended it.
        self.assertLessEqual(ends.keys(), {"ran", "refused", *SIGNALS})
        self.assertLess(sum(ends[name] for name in SIGNALS), sum(ends.values()) / 50)
