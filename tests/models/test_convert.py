"""`envguard run convert`: bad input is told at once, and real models are converted and compared."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.errors import BadInput
from envguard.host.variables import step_variables
from envguard.models.convert import calibration_for, editions_for, read_pixels
from envguard.models.convertible import written_by_keras_2
from envguard.running.environments.preparing import Workshop
from tests.support.command import envguard
from tests.support.documents import problems
from tests.support.environments import workshop

CATALOG = builtin_catalog()

MAKE = """
import sys
import keras
import numpy as np

keras.utils.set_random_seed(0)
layers = keras.layers
model = keras.Sequential(
    [keras.Input((24, 24, 3)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
     layers.GlobalAveragePooling2D(), layers.Dense(8)]
)
model.save(sys.argv[1] + "/net.keras")
model.export(sys.argv[1] + "/net", verbose=False)
random = np.random.default_rng(0)
# Of noise that is alike everywhere, a net's answers hardly differ, and int8 drowns what difference there is.
light = np.linspace(0.05, 1, 20, dtype=np.float32)[random.permutation(20), None, None, None]
np.save(sys.argv[1] + "/rows.npy", light * random.random((20, 24, 24, 3), np.float32))
"""


@pytest.mark.parametrize("name", ["model.tflite", "sample:face_landmarker", "bundle.task"])
def test_a_converted_model_is_refused_before_anything_is_built(name: str, tmp_path: Path) -> None:
    if ":" not in name:
        (tmp_path / name).write_bytes(b"\x1c\0\0\0TFL3")
    ended = envguard("run", "convert", name, home=tmp_path / "home", cwd=tmp_path)
    assert ended.code == 2
    assert f"Quantize it as it is with `envguard run quantize {name}`" in ended.err
    assert not (tmp_path / "home" / "environments").exists()


@pytest.mark.parametrize(("value", "pixels"), [("0:1", [0, 1]), ("-1:1", [-1, 1]), ("0:255", [0, 255])])
def test_black_and_white_are_two_numbers(value: str, pixels: list[float]) -> None:
    assert read_pixels(value) == pixels


@pytest.mark.parametrize("value", ["", "1", "1:0", "a:b", "0:1:2", "nan:1", "0:inf"])
def test_other_words_for_black_and_white_are_bad_input(value: str) -> None:
    with pytest.raises(BadInput):
        read_pixels(value)


def test_pictures_need_to_be_told_what_black_and_white_are(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    home = tmp_path / "home"
    shop = Workshop(home=home, user_home=home, environ={}, catalog=CATALOG, receive=lambda event: None)
    for value in (str(tmp_path), str(tmp_path / "a.png")):
        with pytest.raises(BadInput, match="black and white"):
            calibration_for(value, shop, pictures=False)
        assert calibration_for(value, shop, pictures=True) == (tmp_path / "a.png",)


def keras_2_file(path: Path, version: bytes) -> Path:
    """The start of a file as h5py writes it: the attribute's name, and its value in the heap."""
    path.write_bytes(
        b"\x89HDF\r\n\x1a\n" + bytes(800) + b"keras_version\0\0\0\x19\x01\x01\0" + bytes(1200)
        + b"GCOL\x01" + bytes(19) + b"\x06" + bytes(7) + version + b"\0\0" + bytes(400)
    )  # fmt: skip
    return path


@pytest.mark.parametrize(("version", "editions"), [(b"2.15.0", ("convert=2.21-keras2",)), (b"3.12.1", ())])
def test_a_file_of_keras_2_is_read_by_keras_2(version: bytes, editions: tuple[str, ...], tmp_path: Path) -> None:
    told: list[object] = []
    named = str(keras_2_file(tmp_path / "net.h5", version))
    assert tuple(editions_for(named, (), told.append)) == editions
    assert len(told) == len(editions)


def test_an_edition_that_the_user_chose_stays_chosen(tmp_path: Path) -> None:
    named = str(keras_2_file(tmp_path / "net.h5", b"2.15.0"))
    for chosen in (["2.21"], ["convert=2.21"]):
        assert editions_for(named, chosen, print) == chosen
    assert editions_for(named, ["quantize=0.10"], print) == ("quantize=0.10", "convert=2.21-keras2")


def test_a_keras_file_tells_its_version_in_its_metadata(tmp_path: Path) -> None:
    for version, old in (("2.15.0", True), ("3.12.0", False)):
        with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        assert written_by_keras_2(tmp_path / "net.keras") is old
    (tmp_path / "net.keras").write_bytes(b"PK\x03\x04")
    assert not written_by_keras_2(tmp_path / "net.keras")


@pytest.fixture(scope="module")
def models(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model as a Keras file and as a SavedModel, and rows to calibrate it with."""
    folder = tmp_path_factory.mktemp("models")
    python = workshop(store_home).prepare("convert").built.layout.python
    subprocess.run([python, "-I", "-c", MAKE, folder], env=step_variables(os.environ), check=True, capture_output=True)
    return folder


@pytest.mark.network
@pytest.mark.slow
def test_a_keras_file_becomes_int8_and_is_compared_with_its_float_conversion(store_home: Path, models: Path) -> None:
    ended = envguard(
        "run", "convert", "net.keras", "--calibration", "rows.npy", "--max-latency-ratio", "5", "--json",
        home=store_home, cwd=models,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    document = ended.document
    assert problems(document, "ConvertDocument") == []
    (model,) = document["models"]
    assert (document["kind"], document["rows"], model["inputs"]) == ("int8", 16, "held-out")
    assert all(output["cosine"] > 0.99 for output in model["outputs"])
    output = models / "net.int8.tflite"
    assert hashlib.sha256(output.read_bytes()).hexdigest() == document["output"]["sha256"]
    assert output.stat().st_size < 0.5 * document["float"]["bytes"]
    assert output.with_name("net.int8.tflite.receipt.json").is_file()


@pytest.mark.network
@pytest.mark.slow
def test_a_saved_model_becomes_int8_in_its_weights_where_nothing_calibrates(store_home: Path, models: Path) -> None:
    ended = envguard(
        "run", "convert", "net", "-o", "weights.tflite", "--max-latency-ratio", "20", home=store_home, cwd=models
    )
    assert ended.code == 0, ended.err
    assert "Without --calibration only weights become int8" in ended.err
    assert "activations float" in ended.out
    assert "verdict: yes." in ended.out
