"""Studies of what tokenization does: numbers, counting, Markov sources, models from scratch.

Each has a package with what a notebook needs: `numbers`, `counting`, `markov`, `scratch`;
models are asked through `asking`. What is found has frames (``.frames`` or ``.frame()``) and
JSON (``.as_json()``), and looks like tables when rich prints it.
"""
