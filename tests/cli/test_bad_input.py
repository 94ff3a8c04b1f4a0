"""Bad input is one clear line and exit 2, or an outcome that is documented."""

import gzip
import json
import resource

import pytest

import tokkit as library


def write(path, content):
    path.write_bytes(content)
    return path


BAD_CORPORA = {
    "empty.txt": (b"", "no text"),
    "invalid.txt": (b"good\nbad \xff\n", "line 2"),
    "cut.txt.gz": (gzip.compress(b"some text " * 999)[:-9], "damaged or incomplete"),
    "plain.gz": (b"not compressed at all", "damaged or incomplete"),
    "broken.zst": (b"\x28\xb5\x2f\xfd nothing", "damaged or incomplete"),
    "broken.parquet": (b"PAR1 nothing PAR1", "damaged or incomplete"),
    "column.jsonl": (b'{"body": "x"}\n', "no column 'text' (columns: body)"),
    "broken.jsonl": (b'{"text": "x"}\n{oops\n', "line 2"),
    "number.jsonl": (b'{"text": 7}\n', "line 1"),
}


@pytest.mark.parametrize("name", BAD_CORPORA)
@pytest.mark.parametrize("command", ["train-vocab", "count"])
def test_a_bad_corpus_is_one_line_that_names_it(invoke, tmp_path, command, name):
    content, said = BAD_CORPORA[name]
    path = write(tmp_path / name, content)
    result = invoke(command, path, "-o", tmp_path / "out", "-q")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert [left.name for left in tmp_path.iterdir()] == [name]


BAD_REQUESTS = [
    (["no-such-file"], "no-such-file cannot be read"),
    (["*.nothing"], "no file matches"),
    (["PROSE", "--pattern", "(("], "malformed"),
    (["PROSE", "--pattern", "nope"], "there is no pattern 'nope'; known: gpt2"),
    (["PROSE", "--vocab-size", "100"], "100 tokens is too small"),
    (["PROSE", "--special", "a"], "special token 'a'"),
    (["PROSE", "--special", "x y", "--special", "x y"], "twice"),
    (["PROSE", "--special", "\udcff"], "not UTF-8"),
    (["PROSE", "--init", "no-such-tokenizer"], "no-such-tokenizer"),
    (["PROSE", "--weight", "other.txt=2"], "other.txt=2"),
    (["PROSE", "--sample", "0"], "no text"),
    (["PROSE", "--transition", "0.5"], "no settings of its own"),
    (["PROSE", "--algorithm", "superbpe", "--from-counts", "PROSE"], "either CORPUS or"),
    (["--from-counts", "PROSE"], "PROSE"),
    (["PROSE", "--engine", "dask"], "--scheduler"),
    (["PROSE", "--engine", "dask", "--scheduler", "127.0.0.1:9"], "no Dask scheduler"),
    ([], "CORPUS"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD_REQUESTS)
def test_a_bad_request_is_one_line(invoke, prose, tmp_path, arguments, said):
    arguments = [str(prose) if each == "PROSE" else each for each in arguments]
    result = invoke("train-vocab", *arguments, "-o", tmp_path / "out", "-q")
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert said.replace("PROSE", str(prose)) in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unreadable_file_is_one_line(tokkit, tmp_path):
    path = write(tmp_path / "secret.txt", b"text")
    path.chmod(0)
    if _can_read(path):
        path = tmp_path  # the superuser reads everything; a folder without files will do
        path.joinpath("secret.txt").unlink()
    result = tokkit("count", path, "-o", tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.count(b"error: ") == 1


def _can_read(path):
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True


ODD_CORPORA = {
    "one document": b"one two",
    "white space": b" \n\t \r\n " * 99,
    "one byte": b"x",
    "NULs": b"a\0b\0\0" * 99,
    "one long word": b"ab" * 500_000,
    "no newline": b"one two three " * 99,
}


@pytest.mark.parametrize("name", ODD_CORPORA)
@pytest.mark.parametrize("algorithm", ["bpe", "superbpe", "supertokens"])
def test_an_odd_corpus_gives_a_tokenizer_that_spells_it(invoke, tmp_path, algorithm, name):
    path = write(tmp_path / "corpus.txt", ODD_CORPORA[name])
    arguments = ("--algorithm", algorithm, "--vocab-size", 300, "-q")
    result = invoke("train-vocab", path, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.stderr
    tokenizer = library.load(tmp_path / "out")
    assert tokenizer.decode(tokenizer.encode(ODD_CORPORA[name])) == ODD_CORPORA[name]


def test_more_tokens_than_the_text_supports_is_said(invoke, tmp_path):
    path = write(tmp_path / "corpus.txt", b"one two")
    result = invoke("train-vocab", path, "-o", tmp_path / "out", "--vocab-size", 5000, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["vocabulary"]["size"] < 300
    assert "supports" in result.stderr


def test_skipped_records_are_counted(invoke, tmp_path):
    path = write(tmp_path / "mixed.jsonl", b'{"text": "good"}\n{"text": 7}\n{oops\n')
    arguments = ("--on-error", "skip", "--vocab-size", 260, "--json")
    result = invoke("train-vocab", path, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.stderr
    corpus = json.loads(result.stdout)["corpus"]
    assert (corpus["documents"], sum(corpus["skipped"].values())) == (1, 2)


def test_a_line_of_a_hundred_megabytes_is_read(tokkit, tmp_path):
    path = tmp_path / "long.txt"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"words and spaces, " * 55_556)
    arguments = ("--vocab-size", 300, "--json", "-q")
    result = tokkit("train-vocab", path, "-o", tmp_path / "out", *arguments)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["corpus"]["bytes"] == path.stat().st_size


def test_a_word_of_ten_megabytes_is_learned_from(tokkit, tmp_path):
    path = write(tmp_path / "word.txt", b"ab" * 5_000_000)
    result = tokkit("train-vocab", path, "-o", tmp_path / "out", "--vocab-size", 270, "-q")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", ["train-vocab", "count"])
def test_a_full_disk_is_one_line_and_exit_1(tokkit, prose, tmp_path, command):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    prose.write_text(" ".join(map(str, range(20_000))))
    output = tmp_path / "out"
    result = tokkit(command, prose, "--pattern", "gpt2", "-o", output, "-q", preexec_fn=limit)
    assert result.returncode == 1
    assert result.stderr.startswith(b"error: ")
    assert result.stderr.count(b"\n") == 1
    assert not output.exists()
