"""tokkit: the setting is the segmentation, and how it is asked.

``score``/``total``: the whole text at once; ``stream``: byte by byte, as others have to;
``sample``: `ByteLM.sample`; ``plain``: a stream that never looks ahead.
"""

import time
from itertools import pairwise


class Bytes:
    def __init__(self, spec):
        from tokkit.byteprobs import ByteLM
        from tokkit.lm.hf import HFModel

        segmentation, self.way = spec["setting"].split()
        moments = [time.process_time()]
        model = HFModel.load(spec["folder"])
        moments.append(time.process_time())
        self.lm = ByteLM(model, segmentation=segmentation, speculate=self.way != "plain")
        moments.append(time.process_time())
        if spec["task"] == "setup":
            self.lm.next_logprobs(b"")
            moments.append(time.process_time())
            names = ("model and tokenizer", "tables", "first byte")
            took = [after - before for before, after in pairwise(moments)]
            self.steps_of_setup = dict(zip(names, took, strict=True))

    def score(self, text, given, begun):
        if self.way == "total":
            return [self.lm.score(text, total_only=True).logprob]
        if self.way == "score":
            return self.lm.score(text).byte_logprobs[given:].tolist()
        stream, result = self.lm.stream(text[:given]), []
        begun()
        for place, byte in enumerate(text[given:], given + 1):
            result.append(float(stream.logprobs[byte]))
            if place < len(text):
                stream.push(byte)
        return result

    def generate(self, prompt, count, begun):
        if self.way == "sample":
            return self.lm.sample(prompt, max_bytes=count, temperature=0.0).data
        stream, data = self.lm.stream(prompt), b""
        begun()
        for _ in range(count):
            byte = int(stream.logprobs[:256].argmax())
            data += bytes([byte])
            if len(data) < count:
                stream.push(byte)
        return data


def load(spec):
    return Bytes(spec)
