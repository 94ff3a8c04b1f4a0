"""From options to what the library takes."""

from dataclasses import replace

import pytest
from tokkit_cli.options import Algorithm, FormatName
from tokkit_cli.requests import open_executor, own_settings, read_corpus, split_assignment

from tokkit.errors import UsageError
from tokkit.formats import FORMATS
from tokkit.learn.options import LIB_PRESETS, LiB, SuperBPE

PLAIN = {"text_column": "text", "on_error": "raise", "sample": 1.0, "seed": 0}


@pytest.mark.parametrize(
    ("text", "split"),
    [("life=5", ("life", "5")), ("a=b.txt=2", ("a=b.txt", "2")), ("x=", ("x", ""))],
)
def test_an_assignment_splits_at_its_last_equals_sign(text, split):
    assert split_assignment(text, "--set") == split


@pytest.mark.parametrize("text", ["life", "=5", ""])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(UsageError, match="NAME=VALUE"):
        split_assignment(text, "--set")


def test_settings_become_those_of_the_algorithm():
    assert own_settings("lib", ["life=5", "alpha=0.5"]) == {"lib": LiB(life=5, alpha=0.5)}
    assert own_settings("superbpe", [], transition=0.5, max_words=None) == {
        "superbpe": SuperBPE(transition=0.5)
    }
    assert own_settings("bpe", [], transition=None) == {}
    assert own_settings("lib", ["life=5"], "2020") == {
        "lib": replace(LIB_PRESETS["2020"], life=5)
    }
    assert own_settings("lib", [], target_size=900)["lib"].target_size == 900


@pytest.mark.parametrize(("algorithm", "preset"), [("bpe", "2020"), ("lib", "2021")])
def test_presets_are_those_of_lib(algorithm, preset):
    with pytest.raises(UsageError, match="lib has prose"):
        own_settings(algorithm, [], preset)


@pytest.mark.parametrize(
    ("algorithm", "settings", "said"),
    [
        ("bpe", ["life=5"], "no settings of its own"),
        ("lib", ["lief=5"], "no setting 'lief'"),
        ("lib", ["life=long"], "of type int"),
        ("superbpe", ["transition=much"], "of type float"),
    ],
)
def test_settings_that_cannot_be_are_refused(algorithm, settings, said):
    with pytest.raises(UsageError, match=said):
        own_settings(algorithm, settings)


def test_weights_belong_to_inputs(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("a")
    two.write_text("b")
    paths = [str(one), str(two)]
    corpus = read_corpus(paths, weight=[f"{two}=3"], **PLAIN)
    assert list(corpus.documents()) == [b"a", b"b", b"b", b"b"]
    with pytest.raises(UsageError, match="names no input"):
        read_corpus(paths, weight=["three.txt=1"], **PLAIN)
    with pytest.raises(UsageError, match="number"):
        read_corpus(paths, weight=[f"{two}=many"], **PLAIN)


@pytest.mark.parametrize(("engine", "scheduler"), [("dask", None), ("local", "tcp://x:1")])
def test_a_cluster_is_asked_for_and_named_or_neither(engine, scheduler):
    with (
        pytest.raises(UsageError, match="--scheduler"),
        open_executor(engine, scheduler, 1),
    ):
        pass


def test_one_worker_is_this_process():
    with open_executor("local", None, 1) as (executor, parts):
        assert (executor, parts) == (None, 1)


def test_the_command_line_offers_what_the_library_has():
    from tokkit.learn import ALGORITHMS

    assert set(Algorithm.__args__) == set(ALGORITHMS)
    writable = {name for name, form in FORMATS.items() if form.writable}
    assert set(FormatName.__args__) == writable
