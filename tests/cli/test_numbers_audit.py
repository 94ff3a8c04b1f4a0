"""``tokkit numbers audit``."""

import json


def test_tokenizers_are_compared_in_one_table(invoke, trained, tmp_path):
    result = invoke(
        "numbers", "audit", f"one={trained}", f"two={trained}", "--widths", 5, "--samples", 20
    )
    assert result.exit_code == 0, result.stderr
    assert "one" in result.stdout
    assert "two" in result.stdout
    for title in ("how numbers are cut", "cuts by width", "other ways", "(n=10,000)"):
        assert title in result.stdout


def test_json_is_one_document_and_the_same_again(invoke, trained):
    arguments = ("numbers", "audit", trained, "--widths", 5, "--samples", 30, "--json", "-q")
    first, again = invoke(*arguments), invoke(*arguments)
    assert first.stdout == again.stdout
    (audit,) = json.loads(first.stdout)["tokenizers"]
    assert [row["n"] for row in audit["widths"]][:5] == [10, 100, 1000, 10_000, 30]
    assert invoke(*arguments, "--seed", 1).stdout != first.stdout


def test_a_figure_is_drawn_and_not_replaced_unasked(invoke, trained, tmp_path):
    figure = tmp_path / "digits.svg"
    arguments = ("numbers", "audit", trained, "--widths", 4, "--figure", figure)
    assert invoke(*arguments).exit_code == 0
    assert "<svg" in figure.read_text()
    refused = invoke(*arguments)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert invoke(*arguments, "--force").exit_code == 0


def test_bad_input_is_one_line(invoke, trained, tmp_path):
    for arguments in (
        (tmp_path / "none",),
        (trained, "--figure", tmp_path / "digits.bmp"),
        (f"x={trained}", f"x={trained}"),
        (),
        (trained, "--widths", 0),
    ):
        result = invoke("numbers", "audit", *arguments)
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
