"""Bundles and models are read without trusting them and written back without losing a byte."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from envguard.payload.files import archive, bundle
from envguard.payload.protocol import Refused

MODEL = b"\x1c\0\0\0TFL3" + bytes(range(120))
OTHER_MODEL = b"\x1c\0\0\0TFL3" + bytes(60)
SYMLINK = 0o120777 << 16


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the duplicate names that some tests need
        for name, data in members:
            target.writestr(zipfile.ZipInfo(name, (2023, 5, 3, 18, 1, 28)), data, compression)
    return stream.getvalue()


def written(folder: Path, data: bytes, name: str = "input.task") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(path: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        bundle.read(path)
    assert "\n" not in caught.value.what
    assert caught.value.what.endswith(".")
    return caught.value


def two_models() -> bytes:
    return zipped(("detector.tflite", MODEL), ("geometry.binarypb", b"polygons"), ("blendshapes.tflite", OTHER_MODEL))


def test_a_bundle_lists_its_models_and_members_in_order(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, two_models()))
    assert [model.name for model in read.models()] == ["detector", "blendshapes"]
    assert [name for name, _ in read.members()] == ["detector.tflite", "geometry.binarypb", "blendshapes.tflite"]
    assert read.suffix == ".task"


def test_a_bare_model_is_named_after_its_file(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, MODEL, "palm.tflite"))
    assert [(model.name, model.data) for model in read.models()] == [("palm", MODEL)]
    assert (read.suffix, read.to_bytes()) == (".tflite", MODEL)


def test_replacing_one_model_keeps_everything_else(tmp_path: Path) -> None:
    changed = bundle.read(written(tmp_path, two_models())).replaced({"detector": OTHER_MODEL * 2}).to_bytes()
    with zipfile.ZipFile(io.BytesIO(changed)) as result:
        assert [info.filename for info in result.infolist()] == [
            "detector.tflite",
            "geometry.binarypb",
            "blendshapes.tflite",
        ]
        assert {info.date_time for info in result.infolist()} == {(2023, 5, 3, 18, 1, 28)}
        assert {info.compress_type for info in result.infolist()} == {zipfile.ZIP_STORED}
        assert result.read("detector.tflite") == OTHER_MODEL * 2
        assert result.read("geometry.binarypb") == b"polygons"


def test_written_members_start_at_aligned_offsets(tmp_path: Path) -> None:
    data = bundle.read(written(tmp_path, two_models())).to_bytes()
    for content in (MODEL, b"polygons", OTHER_MODEL):
        assert data.index(content) % archive.ALIGNMENT == 0


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, two_models()))
    again = bundle.read(written(tmp_path, read.to_bytes(), "again.task"))
    assert again.to_bytes() == read.to_bytes()


def test_zeros_before_the_first_member_are_accepted(tmp_path: Path) -> None:
    stream = io.BytesIO(b"\0\0")
    stream.seek(2)
    with zipfile.ZipFile(stream, "a") as target:
        target.writestr("detector.tflite", MODEL)
    assert len(bundle.read(written(tmp_path, stream.getvalue())).models()) == 1


def test_nested_bundles_are_read_and_rewritten(tmp_path: Path) -> None:
    outer = zipped(("hand_landmarker.task", two_models()), ("gesture.tflite", MODEL))
    read = bundle.read(written(tmp_path, outer))
    assert [model.name for model in read.models()] == [
        "hand_landmarker/detector",
        "hand_landmarker/blendshapes",
        "gesture",
    ]
    changed = read.replaced({"hand_landmarker/detector": OTHER_MODEL})
    assert changed.models()[0].data == OTHER_MODEL
    assert changed.models()[1:] == read.models()[1:]


def nested_three_deep() -> bytes:
    innermost = zipped(("hand.tflite", MODEL), ("labels.txt", b"left right"))
    return zipped(
        ("outer.task", zipped(("inner.task", innermost), ("hand.tflite", OTHER_MODEL))), ("hand.tflite", MODEL)
    )


def test_a_model_three_bundles_deep_is_written_back_in_place_stored_and_aligned(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, nested_three_deep()))
    changed = read.replaced({"outer/inner/hand": OTHER_MODEL * 3}).to_bytes()
    again = bundle.read(written(tmp_path, changed, "changed.task"))
    assert [(model.path, model.data) for model in again.models()] == [
        ("outer.task/inner.task/hand.tflite", OTHER_MODEL * 3),
        ("outer.task/hand.tflite", OTHER_MODEL),
        ("hand.tflite", MODEL),
    ]
    assert changed.index(OTHER_MODEL * 3) % archive.ALIGNMENT == 0
    assert [path for path, _ in again.members()] == [path for path, _ in read.members()]


def test_members_that_share_a_name_without_suffix_are_known_by_their_paths(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, zipped(("m", MODEL), ("m.tflite", OTHER_MODEL), ("n.tflite", MODEL))))
    assert [model.name for model in read.models()] == ["m", "m.tflite", "n"]
    changed = read.replaced({"m": MODEL + b"1", "m.tflite": OTHER_MODEL + b"2"})
    assert [model.data for model in changed.models()] == [MODEL + b"1", OTHER_MODEL + b"2", MODEL]


def test_dropping_one_of_two_that_share_a_name_renames_no_other(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path, zipped(("m", MODEL), ("m.tflite", OTHER_MODEL))))
    (rest,) = read.without(["m"]).models()
    assert (rest.path, rest.name, rest.data) == ("m.tflite", "m.tflite", OTHER_MODEL)


def test_dropping_by_a_name_that_several_share_says_which_there_are(tmp_path: Path) -> None:
    data = zipped(("a.tflite", zipped(("n", MODEL))), ("m.task", zipped(("n", MODEL))), ("m.tflite", MODEL))
    with pytest.raises(Refused, match="several members called 'm'") as caught:
        bundle.read(written(tmp_path, data)).without(["m"])
    assert "m.task, m.tflite" in caught.value.next_step


@pytest.mark.parametrize(
    "paths", [("m", "m.tflite", "m.tflite.tflite"), ("a.task/m", "a/m.tflite", "a/m"), (".tflite", "x/.tflite")]
)
def test_no_two_members_are_called_the_same(paths: tuple[str, ...]) -> None:
    names = bundle.short_names(paths)
    assert len(set(names.values())) == len(paths)
    assert all(names.values())


def test_a_member_that_poses_as_one_of_a_nested_bundle_is_refused(tmp_path: Path) -> None:
    data = zipped(("a.task", zipped(("m.tflite", MODEL))), ("a.task/m.tflite", OTHER_MODEL))
    assert "two members with the path 'a.task/m.tflite'" in refusal(written(tmp_path, data)).what


def test_more_members_than_allowed_are_refused_over_all_nested_bundles(tmp_path: Path) -> None:
    inner = zipped(*((f"{number}.txt", b"") for number in range(archive.MAX_MEMBERS // 2)))
    data = zipped(("m.tflite", MODEL), ("a.task", inner), ("b.task", inner))
    assert "more than 1000 members" in refusal(written(tmp_path, data)).what


def test_a_zip_that_is_no_bundle_is_a_member_like_any_other(tmp_path: Path) -> None:
    labels = zipped(("labels.txt", b"cat " * 50), compression=zipfile.ZIP_DEFLATED)
    read = bundle.read(written(tmp_path, zipped(("m.tflite", MODEL), ("labels.zip", labels))))
    assert read.members() == (("m.tflite", len(MODEL)), ("labels.zip", len(labels)))


def test_bundles_nested_too_deep_are_refused(tmp_path: Path) -> None:
    data = zipped(("model.tflite", MODEL))
    for _ in range(bundle.MAX_DEPTH):
        data = zipped(("inner.task", data))
    assert "nests" in refusal(written(tmp_path, data)).what


def test_dropping_leaves_the_named_model_out(tmp_path: Path) -> None:
    rest = bundle.read(written(tmp_path, two_models())).without(["blendshapes"])
    assert [name for name, _ in rest.members()] == ["detector.tflite", "geometry.binarypb"]
    assert bundle.read(tmp_path / "input.task").without(["blendshapes.tflite"]).members() == rest.members()


def test_dropping_an_unknown_model_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no model called 'hand'") as caught:
        bundle.read(written(tmp_path, two_models())).without(["hand"])
    assert "blendshapes, detector" in caught.value.next_step


def test_dropping_every_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no model"):
        bundle.read(written(tmp_path, two_models())).without(["detector", "blendshapes"])


def test_dropping_from_a_bare_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing in it to drop"):
        bundle.read(written(tmp_path, MODEL, "m.tflite")).without(["m"])


def test_a_missing_file_a_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    assert "no file" in refusal(tmp_path / "missing.task").what
    assert "cannot be read" in refusal(tmp_path).what
    assert "is empty" in refusal(written(tmp_path, b"")).what


def test_a_file_that_is_neither_zip_nor_tflite_is_refused(tmp_path: Path) -> None:
    assert "neither a MediaPipe bundle" in refusal(written(tmp_path, b"\x7fELF" + bytes(500))).what


def test_a_zip_without_a_model_is_refused(tmp_path: Path) -> None:
    assert "without a TFLite model" in refusal(written(tmp_path, zipped(("readme.txt", b"hello")))).what


@pytest.mark.parametrize("name", ["../evil.tflite", "a/../../evil.tflite", "/etc/evil.tflite"])
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of the archive" in refusal(written(tmp_path, zipped((name, MODEL)))).what


@pytest.mark.parametrize("name", ["C:evil.tflite", "..\\evil.tflite", "a\nb.tflite"])
def test_unusable_names_are_refused(tmp_path: Path, name: str) -> None:
    assert "unusable name" in refusal(written(tmp_path, zipped((name, MODEL)))).what


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two members" in refusal(written(tmp_path, zipped(("m.tflite", MODEL), ("m.tflite", MODEL)))).what


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        info = zipfile.ZipInfo("m.tflite")
        info.external_attr = SYMLINK
        target.writestr(info, "/etc/passwd")
    assert "symbolic link" in refusal(written(tmp_path, stream.getvalue())).what


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(("m.tflite", MODEL)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(written(tmp_path, bytes(data))).what


def test_a_compressed_member_is_refused_in_mediapipes_words(tmp_path: Path) -> None:
    refused = refusal(written(tmp_path, zipped(("m.tflite", MODEL), compression=zipfile.ZIP_DEFLATED)))
    assert "compressed member" in refused.what
    assert "Expected uncompressed zip archive." in refused.why


def with_claimed_size(data: bytes, size: int) -> bytes:
    """The archive with another uncompressed and compressed size in its central directory."""
    start = data.index(b"PK\x01\x02")
    return data[: start + 20] + struct.pack("<II", size, size) + data[start + 28 :]


def test_a_member_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    data = with_claimed_size(zipped(("m.tflite", MODEL)), 3 << 30)
    assert "claims 3,221,225,472 bytes" in refusal(written(tmp_path, data)).what


def test_members_that_claim_more_than_the_file_holds_are_refused(tmp_path: Path) -> None:
    data = with_claimed_size(zipped(("m.tflite", MODEL)), 100_000)
    assert "claims 100,000 bytes" in refusal(written(tmp_path, data)).what


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    members = [(f"{number}.bin", b"") for number in range(archive.MAX_MEMBERS + 1)]
    assert "1001 members" in refusal(written(tmp_path, zipped(*members))).what


def test_a_bundle_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    data = two_models()
    for length in range(1, len(data)):
        refusal(written(tmp_path, data[:length]))


def test_a_changed_byte_fails_the_checksum(tmp_path: Path) -> None:
    data = bytearray(two_models())
    data[data.index(b"polygons")] ^= 1
    refused = refusal(written(tmp_path, bytes(data)))
    assert "not a whole ZIP archive" in refused.what


def test_files_appended_to_a_model_are_found_and_written_back() -> None:
    labels = archive.Archive((archive.Member("labels.txt", b"cat\ndog\n"),))
    data = archive.write(labels, after=MODEL)
    assert archive.start_of_appended(data) == len(MODEL)
    assert archive.read(data, "model").members[0].data == b"cat\ndog\n"
    assert archive.start_of_appended(MODEL) is None


def test_the_comment_of_an_archive_is_kept(tmp_path: Path) -> None:
    data = archive.write(archive.Archive((archive.Member("m.tflite", MODEL),), b"made by hand"))
    assert archive.read(bundle.read(written(tmp_path, data)).to_bytes(), "it").comment == b"made by hand"
