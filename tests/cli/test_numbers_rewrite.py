"""``tokkit numbers rewrite``."""

import json

import tokkit as library


def test_a_folder_is_written_and_described(invoke, trained, tmp_path):
    output = tmp_path / "new"
    arguments = ("numbers", "rewrite", trained, "--digits", "r2l2", "-o", output)
    result = invoke(*arguments, "--add-tokens", "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said == json.loads((output / "rewrite.json").read_text())
    assert said["examples"]["1234567"] == ["1", "23", "45", "67"]
    assert said["vocab_size"] == len(library.load(output))
    assert "a model needs" in result.stderr
    refused = invoke(*arguments)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr


def test_people_see_what_was_changed(invoke, trained, tmp_path):
    result = invoke("numbers", "rewrite", trained, "--digits", "single", "-o", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    for part in ("1|2|3|4|5|6|7", "numbers in the Split step:", "groups that are one token"):
        assert part in result.stdout


def test_bad_requests_are_refused_in_one_line(invoke, trained, tmp_path):
    for digits, reason in (("r2l", "say single"), ("l2r8", "no token of 8 digits")):
        result = invoke("numbers", "rewrite", trained, "--digits", digits, "-o", tmp_path / "x")
        assert result.exit_code == 2
        assert reason in result.stderr
        assert not (tmp_path / "x").exists()
