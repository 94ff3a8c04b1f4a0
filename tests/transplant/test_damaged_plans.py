"""Plans that are damaged are refused when they are read, not when they are used."""

import pytest

from tests.cli.moves import make_plans
from tests.transplant.test_plan import plan_for
from tokkit.errors import InputError
from tokkit.transplant.plan import Plan


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    plan_for(method_out="random").save(folder / "good")
    return make_plans(folder / "all", folder / "good")


def test_damaged_plans_are_refused(plans):
    good, *_ = plans
    tokens = len(Plan.load(good).target)
    refused = set()
    for path in plans:
        try:
            plan = Plan.load(path)
        except InputError:
            refused.add(path.rpartition("/")[2])
            continue
        assert all(plan.explain(token) for token in range(tokens))
    assert refused == {path.rpartition("/")[2] for path in plans} - {"good"}


def test_bytes_that_are_no_text_name_tokens():
    plan = plan_for()
    assert plan.find("\udcff") == plan.target.ids[b"\xff"]
