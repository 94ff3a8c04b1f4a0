import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import JobError, ModelError
from tokkit.weights import tensors as module
from tokkit.weights.headers import DTYPES, read_header
from tokkit.weights.tensors import read, read_file, read_rows, write_file

KINDS = [dtype for name, dtype in DTYPES.items() if name not in ("BF16", "C64")]


def arrays():
    shapes = st.lists(st.integers(0, 5), max_size=3).map(tuple)
    return st.builds(
        lambda dtype, shape, seed: (
            np.random.default_rng(seed).integers(0, 2, shape).astype(dtype)
        ),
        st.sampled_from(KINDS),
        shapes,
        st.integers(0, 9),
    )


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda name: name != "__metadata__"), arrays())
)
def test_small_files_come_back_and_the_library_reads_them(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("small") / "plan.safetensors"
    write_file(path, tensors, {"about": "é"})
    found, metadata = read_file(path)
    theirs = safetensors.numpy.load_file(path)
    assert metadata == {"about": "é"}
    assert found.keys() == theirs.keys() == tensors.keys()
    for name, array in tensors.items():
        for other in (found[name], theirs[name]):
            assert other.dtype == array.dtype
            np.testing.assert_array_equal(other, array, strict=True)


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    one = {"a": np.arange(3, dtype=np.int8), "b": np.arange(6.0).reshape(3, 2).T}
    write_file(tmp_path / "1", one, {"x": "1", "y": "2"})
    write_file(tmp_path / "2", dict(reversed(one.items())), {"y": "2", "x": "1"})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


def test_a_library_file_is_read(tmp_path):
    tensors = {"w": np.arange(12, dtype=np.float16).reshape(4, 3), "b": np.ones(3)}
    safetensors.numpy.save_file(tensors, tmp_path / "m", {"format": "pt"})
    header = read_header(tmp_path / "m")
    assert header.metadata == {"format": "pt"}
    for name, array in tensors.items():
        np.testing.assert_array_equal(read(header.tensors[name]), array, strict=True)


@given(st.lists(st.integers(0, 999), max_size=60), st.integers(1, 3000))
def test_rows_are_read_in_any_order(tmp_path_factory, ids, buffer):
    path = tmp_path_factory.getbasetemp() / "rows.safetensors"
    table = np.arange(1000 * 700, dtype=np.uint16).reshape(1000, 700)
    if not path.exists():
        write_file(path, {"w": table})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUFFER", buffer)
        found = read_rows(read_header(path).tensors["w"], np.array(ids, np.int32))
    np.testing.assert_array_equal(found, table[ids], strict=True)


@pytest.mark.parametrize("row", [-1, 4])
def test_rows_that_are_not_there(tmp_path, row):
    write_file(tmp_path / "m", {"w": np.zeros((4, 2))})
    with pytest.raises(ModelError, match=rf"'w' has 4 rows, and row {row} is asked for"):
        read_rows(read_header(tmp_path / "m").tensors["w"], np.array([1, row, 2]))


def entry(begin, end, *, dtype="F32", shape=(2,)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("header", "data", "says"),
    [
        ({"a": entry(0, 8), "b": entry(4, 12)}, 12, "the data of 'b' begin at"),
        ({"a": entry(0, 8), "b": entry(12, 20)}, 20, "the data of 'b' begin at"),
        ({"a": entry(4, 12)}, 12, "the data of 'a' begin at"),
        ({"a": entry(0, 8)}, 7, "cut off within tensor 'a'"),
        ({"a": entry(0, 8), "b": entry(8, 16)}, 8, "cut off within tensor 'b'"),
        ({"a": entry(0, 8)}, 9, "1 bytes too many"),
        ({"a": entry(0, 8, shape=(3,))}, 8, "'a' takes 8 bytes, which is not"),
        ({"a": entry(0, 8, dtype="F33")}, 8, "'a' has a dtype tokkit does not know: 'F33'"),
        ({"a": entry(8, 0, shape=(-2,))}, 8, "'a' has no proper entry"),
        ({"a": entry(0, 8, shape=(2.0,))}, 8, "'a' has no proper entry"),
        ({"a": {"dtype": "F32", "shape": [2]}}, 8, "'a' has no proper entry"),
        ({"a": 3}, 8, "'a' has no proper entry"),
        ({"a": entry(0, 8), "__metadata__": 3}, 8, "no strings by name"),
        ([], 0, "no JSON object"),
        (b'{"a": 1, "a": 2}', 0, "'a' is there twice"),
        (b"{", 0, "corrupt"),
        (b"\xff\xff", 0, "corrupt"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, header, data, says):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(data))
    with pytest.raises(ModelError, match=says) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x08", b"\x08" + bytes(7), b"\xff" * 20])
def test_files_without_a_header(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cut off or no safetensors file"):
        read_header(path)


def test_a_file_that_is_cut_off_meanwhile(tmp_path):
    path = tmp_path / "m.safetensors"
    write_file(path, {"w": np.zeros((4, 2))})
    header = read_header(path)
    with path.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(ModelError, match="'w': it was cut off meanwhile"):
        read(header.tensors["w"])


def test_files_that_cannot_be_opened_or_written(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        read_header(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="cannot be written"):
        write_file(tmp_path / "file" / "m", {})
