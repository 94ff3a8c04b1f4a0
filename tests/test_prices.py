from datetime import date

import pytest

from tokkit.errors import UsageError
from tokkit.prices import find_price, in_dollars, read_prices
from tokkit.resources import resource


def test_small_amounts_are_not_nothing():
    amounts = (0.0, 0.0000342, 0.00099951, 0.001, 12.5)
    assert [in_dollars(each) for each in amounts] == [
        "0.0000",
        "0.000034",
        "0.00100",
        "0.0010",
        "12.5000",
    ]


def test_shipped_table_is_sound():
    prices = read_prices(resource("prices.toml"))
    assert len(prices) > 20
    assert all(0 < price.input <= price.output for price in prices.values())
    assert all(price.source for price in prices.values())
    assert all(date(2025, 7, 1) <= price.read for price in prices.values())


def test_dated_versions_have_the_price_of_their_name():
    mini = find_price("gpt-4o-mini-2024-07-18")
    assert (mini.model, mini.input, mini.output) == ("gpt-4o-mini", 0.15, 0.6)
    assert find_price("claude-3-5-sonnet-20240620").model == "claude-3-5-sonnet"
    assert find_price("gpt-4-0314").model == "gpt-4-0314"


def test_a_name_is_no_prefix():
    assert find_price("gpt-4o-mini-audio") is None
    assert find_price("gpt-4o").input == 2.5
    assert find_price("llama") is None


def test_cost_is_per_million_tokens():
    price = find_price("gpt-4o-mini")
    assert price.cost(2_000_000, 1_000_000) == pytest.approx(0.9)
    assert price.cost(2_000_000, 1_000_000, batch=True) == pytest.approx(0.45)


def test_own_table_goes_first(tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text('["gpt-4o"]\ninput = 1\noutput = 2.5\n["mine-2"]\ninput = 0\noutput = 0\n')
    assert find_price("gpt-4o-2024-05-13", own).output == 2.5
    assert find_price("mine-2", own).cost(10, 10) == 0
    assert find_price("gpt-4o-mini", own).output == 0.6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gpt-4.1]\ninput = 1\noutput = 2\n", "quotes"),
        ("x = 1\n", "is no table"),
        ("[x]\ninput = 1\n", "no 'output'"),
        ("[x]\ninput = -1\noutput = 1\n", "-1"),
        ("[x]\ninput = true\noutput = 1\n", "True"),
        ("[x]\ninput = nan\noutput = 1\n", "nan"),
        ("[x]\ninput = 1\noutput = 1\nread = 'today'\n", "today"),
        ("[x\n", "no TOML"),
    ],
)
def test_wrong_entries_are_named(tmp_path, text, said):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_prices(path)


def test_missing_table_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml"):
        find_price("x", tmp_path / "none.toml")
