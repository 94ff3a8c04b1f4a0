"""``tokkit study power``."""

import json

import pytest

from tokkit.stats import paired_power


def test_so_many_problems_are_needed_and_not_fewer(invoke):
    result = json.loads(
        invoke("study", "power", 0.5, 0.6, "--discordant", 0.25, "--json").stdout
    )
    needed = result["problems"]
    assert paired_power(needed, 0.1, 0.25) >= 0.8 > paired_power(needed - 1, 0.1, 0.25)


def test_what_a_number_of_problems_shows(invoke):
    result = invoke("study", "power", 0.74, 0.8, "--problems", 90, "--json")
    shown = json.loads(result.stdout)
    share = 0.74 * 0.2 + 0.8 * 0.26
    assert shown["discordant"] == pytest.approx(share)
    assert shown["power"] == pytest.approx(paired_power(90, 0.06, share))
    found = shown["detectable_difference"]
    assert paired_power(90, found, share) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0.5, 0.5), "two equal shares do not differ"),
        ((0.1, 0.2, "--discordant", 0.05), "cannot leave 0.05"),
        ((0.1, 0.2, "--discordant", 0.9), "cannot leave 0.9"),
        ((0.1, 1.2), "less than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(invoke, arguments, reason):
    result = invoke("study", "power", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
