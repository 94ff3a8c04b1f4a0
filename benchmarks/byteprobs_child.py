"""One run of one implementation, in a process of its own; see `benchmarks.byteprobs`.

``python -m benchmarks.byteprobs_child NAME SPECIFICATION`` prints what it took as JSON. It is
run by the Python of the implementation, which need not have tokkit: only torch and transformers
are needed here. An implementation is a module ``byteprobs_NAME`` with a function ``load(spec)``
that returns an object with

* ``score(text, given, begun) -> list[float]``: the log probabilities of the bytes of a text
  after the first `given`;
* ``generate(prompt, count, begun) -> bytes``: the most probable byte, `count` times.

They call `begun` when the given bytes are behind them: from then on it counts.
"""

import functools
import importlib
import json
import math
import sys
import time


class Meter:
    """Counts what goes through the forward pass of any model of transformers.

    Attributes:
        calls: Forward passes.
        tokens: Token positions in them, padding included.
        seconds: CPU time spent in them, user and system.
    """

    def __init__(self):
        self.depth = 0
        self.begin()

    def begin(self) -> None:
        """Count from here on."""
        self.calls, self.tokens, self.seconds = 0, 0, 0.0
        self.since = time.process_time()

    def watch(self) -> None:
        """Replace the forward methods of the models that are used here."""
        from transformers.models.gpt2 import modeling_gpt2 as gpt2
        from transformers.models.llama import modeling_llama as llama

        for body in (gpt2.GPT2Model, llama.LlamaModel):
            body.forward = self.wrapped(body.forward, counted=True)
        for whole in (gpt2.GPT2LMHeadModel, llama.LlamaForCausalLM):
            whole.forward = self.wrapped(whole.forward, counted=False)

    def wrapped(self, forward, counted: bool):
        """A forward method that is timed, and counted; one inside another is timed once."""

        @functools.wraps(forward)
        def measured(model, *arguments, **options):
            given = arguments[0] if arguments else options.get("input_ids")
            if counted:
                self.calls += 1
                self.tokens += given.numel()
            self.depth += 1
            before = time.process_time()
            result = forward(model, *arguments, **options)
            self.depth -= 1
            if not self.depth:
                self.seconds += time.process_time() - before
            return result

        return measured

    def figures(self, count: int) -> dict:
        """What one byte of `count` took."""
        cpu = time.process_time() - self.since
        return {
            "ms": 1000 * cpu / count,
            "forward ms": 1000 * self.seconds / count,
            "other ms": 1000 * (cpu - self.seconds) / count,
            "calls": self.calls / count,
            "tokens": self.tokens / count,
        }


def measure(name: str, spec: dict) -> dict:
    """Load, warm up on another text, then score or generate with the meter on."""
    import torch

    torch.set_num_threads(1)
    meter = Meter()
    meter.watch()
    module = importlib.import_module(f"benchmarks.byteprobs_{name}")
    before = time.process_time()
    implementation = module.load(spec)
    setup = time.process_time() - before
    text, warm = (spec[key].encode("latin1") for key in ("text", "warm"))
    given, count = spec["given"], spec["count"]
    if spec["task"] == "setup":
        return {"setup": setup} | getattr(implementation, "steps_of_setup", {})
    if spec["task"] == "generate":
        implementation.generate(warm, 12, meter.begin)
        meter.begin()
        output = implementation.generate(text[:given], count, meter.begin)
        return meter.figures(count) | {"setup": setup, "output": output.decode("latin1")}
    implementation.score(warm, given, meter.begin)
    meter.begin()
    logprobs = implementation.score(text[: given + count], given, meter.begin)
    bits = -sum(logprobs) / math.log(2) / count
    return meter.figures(count) | {"setup": setup, "bits": bits, "scored": len(logprobs)}


def main() -> None:
    """Run and print one line."""
    name, spec = sys.argv[1], json.loads(sys.argv[2])
    try:
        result = measure(name, spec)
    except (ImportError, FileNotFoundError) as error:
        result = {"absent": f"{error}"}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
