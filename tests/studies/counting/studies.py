"""Counting studies for tests."""

import json

from tokkit.studies.asking import AnswerCache, ask
from tokkit.studies.asking.backends.sim import SimulatedBackend
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.rows import add_answers, make_rows, requests_of
from tokkit.studies.counting.samples import Sample, draw_samples
from tokkit.studies.counting.scoring import score


def simulate(backend, plan, seed=0, samples=None):
    """Scores of a simulated model, such as ``undercounter:0.3``."""
    rows = make_rows(plan, samples or draw_samples(plan))
    model = SimulatedBackend.parse(backend, seed=seed)
    asked = ask(requests_of(rows), model, cache=AnswerCache(None))
    return score(add_answers(rows, asked.answers, model.model))


def answered(answers, **change):
    """Rows of strings with the answers given to them: form -> string -> response."""
    samples = [Sample(str(i), text) for i, text in enumerate(next(iter(answers.values())))]
    plan = Plan(forms=tuple(answers), targets=("a",), **change)
    rows = make_rows(plan, samples)
    given = [answers[row["input_format"]][row["sample"]] for _, row in rows.iterrows()]
    return rows.assign(response=given, model="m", completion_tokens=7, finish_reason="stop")


def write_recorded(path, texts, layout="openai"):
    """Write answers as a public study has them, by the id of the string."""
    lines = []
    for name, text in texts.items():
        body = {"model": "gpt-x", "choices": [{"message": {"content": text}}]}
        body["usage"] = {"prompt_tokens": 9, "completion_tokens": 5}
        line = {"custom_id": f"request-{name}", "response": {"status_code": 200, "body": body}}
        lines.append(json.dumps({"id": name, "result": text} if layout == "claude" else line))
    path.write_text("\n".join(lines) + "\n")
    return path
