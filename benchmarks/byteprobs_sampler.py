"""byte-sampler, arXiv 2506.14123; ``head`` is its default, ``mask`` filters the last token."""

import sys
from pathlib import Path


class Sampler:
    def __init__(self, spec):
        sys.path.insert(0, str(Path(spec["rivals"], "byte-sampler", "src")))
        import torch
        from byte_sampling import ByteConditioning

        self.torch = torch
        self.conditioning = ByteConditioning(
            spec["folder"], load_kwargs={"torch_dtype": torch.float32}
        )
        self.mask = spec["setting"] == "mask"

    def begin(self, prompt):
        sampler = self.conditioning.BytewiseBatchSampler(
            self.conditioning, filter_tensors=self.mask
        )
        sampler.add_context([prompt])
        return sampler

    def score(self, text, given, begun):
        with self.torch.inference_mode():  # as its own `generate_batched` is
            return self.scored(text, given, begun)

    def generate(self, prompt, count, begun):
        with self.torch.inference_mode():
            return self.generated(prompt, count, begun)

    def scored(self, text, given, begun):
        sampler, result = self.begin(text[:given]), []
        begun()
        for byte in text[given:]:
            logprobs = sampler.get_dists().log_softmax(-1)[0]
            result.append(float(logprobs[byte]))
            sampler.add_context([bytes([byte])])
        return result

    def generated(self, prompt, count, begun):
        sampler, data = self.begin(prompt), b""
        begun()
        for _ in range(count):
            byte = bytes([int(sampler.get_dists()[0, :256].argmax())])
            sampler.add_context([byte])
            data += byte
        return data


def load(spec):
    return Sampler(spec)
