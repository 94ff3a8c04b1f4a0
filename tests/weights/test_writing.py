import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from tests.transplant import models
from tokkit.errors import JobError, ModelError
from tokkit.weights import writing as module
from tokkit.weights.checkpoint import INDEX, SINGLE, Checkpoint
from tokkit.weights.headers import DTYPES, read_header
from tokkit.weights.locate import head_name, locate
from tokkit.weights.output import check_space
from tokkit.weights.tensors import read, read_rows
from tokkit.weights.writing import New, hash_tensor, patch_rows, write_checkpoint


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The folder of each kind of checkpoint, made when asked for."""
    made = {}

    def get(name="llama", **options):
        key = (name, *sorted(options.items()))
        if key not in made:
            made[key] = tmp_path_factory.mktemp(name)
            models.save(name, made[key], **options)
        return made[key]

    return get


def new(array, dtype=None, *, rows=7):
    """Make an array a tensor to be written, in blocks of some rows."""
    names = {each: name for name, each in DTYPES.items() if name != "U16"}

    def blocks():
        yield from (array[start : start + rows] for start in range(0, len(array), rows))

    return New(dtype or names[array.dtype], array.shape, blocks)


def same(source, name):
    return new(read(source.tensors[name]), source.tensors[name].dtype)


def finish(source, folder):
    """Put the configuration beside the weights."""
    shutil.copy(source.folder / "config.json", folder)
    return Checkpoint.open(folder)


def contents(checkpoint):
    """Read every tensor with nothing of ours but offsets."""
    return {
        name: each.path.read_bytes()[each.start : each.stop]
        for name, each in checkpoint.tensors.items()
    }


def files(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name.endswith((".safetensors", "index.json"))
    }


LAYOUTS = [
    ("llama", {}),
    ("llama", {"dtype": "bfloat16", "shard_size": "9KB"}),
    ("gpt2", {"dtype": "float16"}),
    ("gpt_neox", {"shard_size": "9KB"}),
    ("bert", {}),
    ("gemma3", {"dtype": "bfloat16", "shard_size": "9KB"}),
]


@pytest.mark.parametrize(("name", "options"), LAYOUTS)
def test_the_same_content_gives_the_same_model(sources, tmp_path, name, options):
    source = Checkpoint.open(sources(name, **options))
    embeddings = locate(source)
    wanted = [embeddings.input, embeddings.output, embeddings.bias]
    replaced = {each: same(source, each) for each in wanted if each is not None}
    hashes = write_checkpoint(source, tmp_path, replaced)
    found = finish(source, tmp_path)
    assert contents(found) == contents(source)
    assert {name: each.sha256 for name, each in hashes.items()} == {
        name: hashlib.sha256(each).hexdigest() for name, each in contents(source).items()
    }
    assert {name for name, each in hashes.items() if not each.copied} == replaced.keys()
    assert json.loads(files(tmp_path).get(INDEX, b"0")) == json.loads(
        files(source.folder).get(INDEX, b"0")
    )
    for shard, header in source.shards.items():
        assert found.shards[shard].metadata == header.metadata == {"format": "pt"}
    assert logits(tmp_path).tobytes() == logits(source.folder).tobytes()


def logits(folder):
    import torch

    model = models.load(folder)
    with torch.no_grad():
        return model(torch.arange(12)[None]).logits.float().numpy()


@pytest.mark.parametrize(("name", "options"), LAYOUTS)
def test_nothing_replaced_gives_the_same_files(sources, tmp_path, name, options):
    source = Checkpoint.open(sources(name, **options))
    hashes = write_checkpoint(source, tmp_path, {})
    assert files(tmp_path) == files(source.folder)
    assert all(each.copied for each in hashes.values())


@pytest.mark.parametrize(("name", "options"), LAYOUTS[:2])
def test_other_rows(sources, tmp_path, name, options):
    source = Checkpoint.open(sources(name, **options))
    before, index = contents(source), source.index
    kind = source.tensors["lm_head.weight"].dtype
    table = (np.arange(130 * 16) % 251).astype(DTYPES[kind]).reshape(130, 16)
    replaced = {
        "model.embed_tokens.weight": new(table, kind, rows=50),
        "lm_head.weight": new(table[:100] + DTYPES[kind].type(1), kind, rows=1000),
    }
    steps = []
    hashes = write_checkpoint(
        source, tmp_path, replaced, progress=lambda *step: steps.append(step)
    )
    found = finish(source, tmp_path)
    np.testing.assert_array_equal(read(found.tensors["model.embed_tokens.weight"]), table)
    np.testing.assert_array_equal(read(found.tensors["lm_head.weight"]), table[:100] + 1)
    after = contents(found)
    assert list(after) == list(before)
    assert {each: after[each] for each in after if each not in replaced} == {
        each: before[each] for each in before if each not in replaced
    }
    for each, content in after.items():
        assert hashes[each].sha256 == hashlib.sha256(content).hexdigest()
        assert hashes[each].shape == found.tensors[each].shape
        assert hash_tensor(found.tensors[each]) == hashes[each].sha256
    assert steps[-1] == ("write", found.size(), found.size())
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)
    if index is not None:
        said = json.loads((tmp_path / INDEX).read_text())
        assert said["metadata"]["total_size"] == found.size()
        total = sum(int(np.prod(each.shape)) for each in found.tensors.values())
        assert said["metadata"]["total_parameters"] == total
        assert len({found.tensors[each].path for each in replaced}) == 2
    for path in tmp_path.glob("*.safetensors"):
        with safe_open(path, "pt") as library:
            for each in library.keys():  # noqa: SIM118
                assert list(library.get_slice(each).get_shape()) == list(
                    found.tensors[each].shape
                )


@pytest.mark.parametrize("shard_size", [None, "9KB"])
def test_an_untied_head_goes_beside_the_input(sources, tmp_path, shard_size):
    source = Checkpoint.open(sources("gpt2", shard_size=shard_size))
    embeddings = locate(source)
    table = read(source.tensors[embeddings.input])
    name = head_name(source, embeddings)
    replaced = {embeddings.input: new(table)}
    write_checkpoint(source, tmp_path, replaced, added={name: new(table * 2)})
    found = finish(source, tmp_path)
    assert found.tensors[name].path == found.tensors[embeddings.input].path
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    np.testing.assert_allclose(logits(tmp_path), 2 * logits(source.folder), rtol=1e-5)


def test_what_is_removed_is_gone(sources, tmp_path):
    source = Checkpoint.open(sources(shard_size="9KB"))
    shard = source.tensors["lm_head.weight"].path.name
    alone = list(source.shards[shard].tensors)
    write_checkpoint(source, tmp_path, {}, removed=alone)
    found = finish(source, tmp_path)
    assert found.tensors.keys() == source.tensors.keys() - set(alone)
    assert not (tmp_path / shard).exists()


def test_another_dtype(sources, tmp_path):
    source = Checkpoint.open(sources())
    table = np.ones((3, 16), np.float16)
    write_checkpoint(source, tmp_path, {"lm_head.weight": new(table)})
    found = finish(source, tmp_path).tensors["lm_head.weight"]
    assert found.dtype == "F16"
    np.testing.assert_array_equal(read(found), table, strict=True)


def test_links_are_followed_and_not_made(sources, tmp_path):
    source = sources(shard_size="9KB")
    linked, out = tmp_path / "linked", tmp_path / "out"
    linked.mkdir()
    out.mkdir()
    for path in source.iterdir():
        (linked / path.name).symlink_to(path)
    write_checkpoint(Checkpoint.open(linked), out, {})
    assert files(out) == files(source)
    for path in out.iterdir():
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"replaced": {"no": new(np.ones((2, 2)))}}, "not in the source"),
        ({"removed": ["no"]}, "not in the source"),
        ({"added": {"lm_head.weight": new(np.ones((2, 2)))}}, "already in the source"),
        (
            {"replaced": {"lm_head.weight": New("F32", (2, 2), lambda: iter(()))}},
            "lack 16 bytes",
        ),
        ({"replaced": {"lm_head.weight": new(np.ones((2, 2)), "F32")}}, "a block of float64"),
    ],
)
def test_what_cannot_be_written(sources, tmp_path, arguments, says):
    with pytest.raises(ValueError, match=says):
        write_checkpoint(Checkpoint.open(sources()), tmp_path, **{"replaced": {}, **arguments})


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_a_disk_that_fails_halfway(sources, tmp_path, monkeypatch, number, says):
    source = Checkpoint.open(sources())
    before, room, write = files(source.folder), [9000], os.write

    def fails(file, data):
        if room[0] <= 0:
            raise OSError(number, os.strerror(number))
        done = write(file, data[: room[0]])  # less than was asked for, as a full disk does
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", fails)
    with pytest.raises(JobError, match=says) as caught:
        write_checkpoint(source, tmp_path, {"lm_head.weight": same(source, "lm_head.weight")})
    assert str(tmp_path / SINGLE) in str(caught.value)
    assert files(source.folder) == before


def test_a_source_that_is_cut_off_meanwhile(sources, tmp_path):
    copy, out = tmp_path / "copy", tmp_path / "out"
    out.mkdir()
    shutil.copytree(sources(), copy)
    source = Checkpoint.open(copy)
    os.truncate(copy / SINGLE, 5000)
    with pytest.raises(ModelError, match="cut off meanwhile"):
        write_checkpoint(source, out, {})


def test_no_file_is_overwritten(sources, tmp_path):
    (tmp_path / SINGLE).write_text("mine")
    with pytest.raises(JobError, match="cannot be written"):
        write_checkpoint(Checkpoint.open(sources()), tmp_path, {})
    assert (tmp_path / SINGLE).read_text() == "mine"


@given(st.lists(st.integers(0, 95), unique=True), st.integers(1, 200), st.data())
@settings(max_examples=30)
def test_rows_are_patched_in_place(tmp_path_factory, sources, ids, buffer, data):
    shard_size = data.draw(st.sampled_from([None, "9KB"]))
    source = Checkpoint.open(sources(shard_size=shard_size))
    out = tmp_path_factory.mktemp("out")
    write_checkpoint(source, out, {})
    before = contents(finish(source, out))
    rows = np.random.default_rng(0).random((len(ids), 16), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUFFER", buffer)
        patch_rows(out, "lm_head.weight", np.array(ids, np.int32), rows)
    after = contents(Checkpoint.open(out))
    head = np.frombuffer(before.pop("lm_head.weight"), np.float32).reshape(96, 16).copy()
    head[ids] = rows
    assert after.pop("lm_head.weight") == head.tobytes()
    assert after == before


def test_rows_that_cannot_be_patched(sources, tmp_path):
    write_checkpoint(Checkpoint.open(sources()), tmp_path, {})
    rows = np.zeros((1, 16), np.float32)
    with pytest.raises(ValueError, match="are not all in"):
        patch_rows(tmp_path, "lm_head.weight", np.array([96]), rows)
    with pytest.raises(ValueError, match="are no 1 rows"):
        patch_rows(tmp_path, "lm_head.weight", np.array([0]), rows.astype(np.float16))


def test_room_on_the_disk(tmp_path):
    check_space(tmp_path / "not" / "there", 1)
    with pytest.raises(JobError, match="the disk has room for"):
        check_space(tmp_path / "not" / "there", 1 << 60)


def test_memory_does_not_grow_with_the_model(tmp_path):
    """A file of 320 MB, most of it a hole, within the memory of a small one."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text(json.dumps({"vocab_size": 96}))
    entries = {
        "model.embed_tokens.weight": (96, 16),
        "model.layers.0.up.weight": (5_000_000, 16),
    }
    with (source / SINGLE).open("wb") as file:
        start, _ = module.layout(((name, "F32", size) for name, size in entries.items()), {})
        file.write(start)
        file.truncate(len(start) + 4 * 16 * (96 + 5_000_000))
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tokkit.weights.checkpoint import Checkpoint\n"
        "from tokkit.weights.tensors import read\n"
        "from tokkit.weights.writing import New, write_checkpoint\n"
        "source, out = map(Path, sys.argv[1:])\n"
        "source = Checkpoint.open(source)\n"
        "name = 'model.embed_tokens.weight'\n"
        "table = read(source.tensors[name])\n"
        "out.mkdir()\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "write_checkpoint(source, out, {name: New('F32', (96, 16), lambda: iter([table]))})\n"
        "print(peak() - before)\n"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code, source, out], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 16 << 10  # KiB
    assert (out / SINGLE).stat().st_size > 300 << 20
    last = read_header(out / SINGLE).tensors["model.layers.0.up.weight"]
    assert not read_rows(last, np.array([4_999_999, 0])).any()
