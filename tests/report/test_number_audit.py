"""Pictures of audits."""

import json
from itertools import pairwise

import pytest

import tokkit
from tests.formats.families import FAMILIES
from tokkit.errors import UsageError
from tokkit.report.number_audit import chart_audit, draw_audit
from tokkit.studies.numbers.audit import audit_numbers


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    loaded = {}
    for name in ("superbpe", "starcoder"):
        (folder / f"{name}.json").write_text(json.dumps(FAMILIES[name]()), encoding="utf-8")
        loaded[name] = tokkit.load(folder / f"{name}.json")
    return audit_numbers(loaded, widths=6, samples=20)


def values(chart):
    """The rows of every part of a chart."""
    if isinstance(chart, dict):
        if "values" in chart.get("data", {}):
            yield chart["data"]["values"]
        for part in chart.values():
            yield from values(part)
    elif isinstance(chart, list):
        for part in chart:
            yield from values(part)


def test_bars_are_the_tokens_and_squares_the_shares(audit):
    tables = list(values(chart_audit(audit).to_dict()))
    bars, digits, squares = tables[:3]
    longest = [bar for bar in bars if bar["width"] == 12]
    assert longest[0]["start"] == pytest.approx(-12, abs=0.1)
    assert longest[-1]["end"] == pytest.approx(0, abs=0.1)
    assert all(left["end"] < right["start"] for left, right in pairwise(longest))
    assert "".join(each["digit"] for each in digits if each["width"] == 12) == "123456789012"
    shares = {(each["width"], each["behind"]): each["share"] for each in squares}
    assert shares[6, 3] == shares[4, 3] == 1.0
    single = {(each["width"], each["behind"]): each["share"] for each in tables[5]}
    assert set(single.values()) == {1.0}
    assert len(single) == len(shares) == 1 + 2 + 3 + 4 + 5


def test_files_are_pictures(audit, tmp_path):
    assert draw_audit(audit, tmp_path / "a.svg").read_text().startswith("<svg")
    assert draw_audit(audit, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="a figure ends in one of"):
        draw_audit(audit, tmp_path / "a.bmp")
