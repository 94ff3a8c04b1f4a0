"""The code of arXiv 2410.09303: facebookresearch/Exact-Byte-Level-Probabilities-from-....

Its bytes are those of text whose spaces are U+2581, so a space takes three steps. ``fast`` is
what its ``generate.py`` uses; ``exact`` also leaves out what is not canonical.
"""

import math
import sys
from pathlib import Path

SPACE = "\u2581"


class Paper:
    def __init__(self, spec):
        sys.path.insert(0, str(Path(spec["rivals"], "fb", "src")))
        from byte_prediction_model import BytePredLLM

        self.model = BytePredLLM(spec["folder"], "cpu")
        self.model.t_wrapper.add_bos_token = True  # which it reads for classes of its time only
        self.fast = spec["setting"] == "fast"

    def steps(self, prompt, begun):
        """Yield distributions; what is sent is the byte that comes next."""
        data = list(prompt.decode().replace(" ", SPACE).encode())
        state = last = None
        while True:
            probs, state = self.model.prob_next_byte(data, self.fast, state, last)
            if last is None:
                begun()
            last = yield probs
            data = [*data, last]

    def score(self, text, given, begun):
        steps = self.steps(text[:given], begun)
        rest = text[given:].decode().replace(" ", SPACE).encode()
        result, probs = [], next(steps)
        for place, byte in enumerate(rest):
            result.append(math.log(float(probs[byte])))
            if place + 1 < len(rest):
                probs = steps.send(byte)
        return result

    def generate(self, prompt, count, begun):
        steps = self.steps(prompt, begun)
        probs, data = next(steps), b""
        while True:
            data += bytes([int(probs[:256].argmax())])
            text = data.decode(errors="ignore").replace(SPACE, " ").encode()
            if len(text) >= count:
                return text[:count]
            probs = steps.send(data[-1])


def load(spec):
    return Paper(spec)
