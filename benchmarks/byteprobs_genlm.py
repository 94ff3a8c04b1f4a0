"""genlm-bytes, arXiv 2412.03719; the setting is the width of its beam and what it prunes.

It waits 20 ms for more requests to come by default, which only costs time: here 0. It knows
nothing about dummy prefixes: where there is one, it is given as the space that it is.
"""

import asyncio


class Beams:
    def __init__(self, spec):
        from genlm.backend import load_model_by_name
        from genlm.bytes import BeamParams, ByteBeamState

        width, threshold = spec["setting"].split()
        options = {"timeout": 0, "hf_opts": {"torch_dtype": "float32"}}
        self.model = load_model_by_name(spec["folder"], backend="hf", llm_opts=options)
        self.lead = b" " if spec["lead"] else b""
        self.state = ByteBeamState
        ends = [self.model.tokenizer.eos_token.encode()]
        self.parameters = BeamParams(int(width), float(threshold), eos_byte_strings=ends)
        self.loop = asyncio.new_event_loop()
        first = ByteBeamState.initial(self.model, self.parameters)
        self.first = self.loop.run_until_complete(first)

    async def begin(self, prompt, begun):
        self.model.clear_cache()
        state = self.state(self.first.states, self.parameters)
        state = await state.prefill(self.lead + prompt)
        begun()
        return state

    async def scored(self, text, given, begun):
        state, result = await self.begin(text[:given], begun), []
        for byte in text[given:]:
            logprobs = await state.logp_next()
            result.append(float(logprobs[byte]))
            state = await (state.prune() << byte)
        return result

    async def generated(self, prompt, count, begun):
        state, data = await self.begin(prompt, begun), b""
        for _ in range(count):
            logprobs = await state.logp_next()
            byte = int(logprobs.ps[:256].argmax())
            state = await (state.prune() << byte)
            data += bytes([byte])
        return data

    def score(self, text, given, begun):
        return self.loop.run_until_complete(self.scored(text, given, begun))

    def generate(self, prompt, count, begun):
        return self.loop.run_until_complete(self.generated(prompt, count, begun))


def load(spec):
    return Beams(spec)
