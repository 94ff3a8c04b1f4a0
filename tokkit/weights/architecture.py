"""What transformers says about the embeddings of a model, without memory for its weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from tokkit.errors import MissingExtraError, ModelError
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.names import Found

_GROWTH = 64
"""How many rows more the model gets that shows which tensors depend on the vocabulary."""


def is_tied(checkpoint: Checkpoint) -> bool:
    """Whether the configuration class ties the embeddings.

    Raises:
        ModelError: If transformers does not know the architecture.
        MissingExtraError: If transformers is not installed.
    """
    return bool(getattr(_configuration(checkpoint), "tie_word_embeddings", False))


def by_architecture(checkpoint: Checkpoint) -> Found:
    """Find the embeddings by building the model, twice: with more tokens the second time.

    The tensors whose shapes then differ are those that depend on the vocabulary; others with
    as many rows have them by coincidence.

    Raises:
        ModelError: If transformers does not know the architecture, or tensors other than
            embeddings, head and bias depend on the vocabulary.
        MissingExtraError: If transformers is not installed.
    """
    model = _build(checkpoint)
    parameters = _parameters(checkpoint, model)
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    inputs = _stored(parameters, _aliases(model, getattr(table, "weight", None)))
    heads = _stored(parameters, _aliases(model, getattr(head, "weight", None)))
    biases = _stored(parameters, _aliases(model, getattr(head, "bias", None)))
    tables = list(dict.fromkeys((*inputs, *heads)))
    if not tables or len(checkpoint.tensors[tables[0]].shape) != 2:
        raise ModelError(
            f"{checkpoint.folder}: {type(model).__name__} has no table of token embeddings in "
            "these weights: it is no language model"
        )
    if len(tables) > 2:
        raise ModelError(
            f"{checkpoint.folder}: {', '.join(tables)} hold the embeddings of the same tokens: "
            "load the model with transformers and save it again"
        )
    others = _others(checkpoint, model, parameters, (*tables, *biases))
    separate = tables[1] if len(tables) > 1 else None
    return Found(tables[0], separate, tuple(biases), others, head is not None)


def _others(
    checkpoint: Checkpoint, model: Any, parameters: Mapping[str, str], known: Sequence[str]
) -> tuple[str, ...]:
    """Return what has as many rows by coincidence; refuse what depends on the vocabulary."""
    rows = checkpoint.tensors[known[0]].shape[0]
    bound, loaded = _bound(checkpoint, model), set(model.state_dict())
    others = []
    for name, stored in checkpoint.tensors.items():
        parameter = parameters[name]
        if name in known or not (parameter in bound or rows in stored.shape):
            continue
        if parameter in bound or parameter not in loaded:
            raise ModelError(
                f"{checkpoint.folder}: {name} depends on the vocabulary, and nothing is known "
                f"to make it for new tokens: {type(model).__name__} cannot be moved"
            )
        others.append(name)
    return tuple(others)


def untied_head(checkpoint: Checkpoint) -> str:
    """Return the name of the head of an untied model.

    Raises:
        ModelError: If the class ties it whatever the configuration says, or has none.
        MissingExtraError: If transformers is not installed.
    """
    model = _build(checkpoint, tie_word_embeddings=False)
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    names = _aliases(model, getattr(head, "weight", None))
    if not names or head.weight is table.weight:
        raise ModelError(
            f"{checkpoint.folder}: the head of {type(model).__name__} is always tied to the "
            "input embedding: it cannot be untied"
        )
    return names[0]


def _transformers() -> Any:
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "transformers", "torch") from error
    return transformers


def _configuration(checkpoint: Checkpoint) -> Any:
    transformers = _transformers()
    try:
        with _quiet(transformers):
            return transformers.AutoConfig.from_pretrained(
                str(checkpoint.folder), local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        kind = checkpoint.config.get("model_type")
        raise ModelError(
            f"{checkpoint.folder}: transformers {transformers.__version__} does not take its "
            f"configuration (model_type {kind!r}): {_line(error)}"
        ) from error


def _build(checkpoint: Checkpoint, *, grown: int = 0, **changes: bool) -> Any:
    """Build the model on torch's meta device, with more tokens or another flag."""
    import torch

    transformers = _transformers()
    config = _configuration(checkpoint)
    text = config.get_text_config()
    for part in (config, text):
        for key, value in changes.items():
            setattr(part, key, value)
    if grown:
        text.vocab_size = text.vocab_size + grown
        if text is not config and isinstance(getattr(config, "vocab_size", None), int):
            config.vocab_size = text.vocab_size
    error: Exception | None = None
    for kind in _classes(transformers, checkpoint.config):
        try:
            with _quiet(transformers), torch.device("meta"):
                return kind(config)
        except Exception as failure:
            error = error or failure
    raise ModelError(
        f"{checkpoint.folder}: transformers has no class for this architecture that could be "
        f"built: {_line(error) if error else checkpoint.config.get('model_type')}"
    ) from error


def _classes(transformers: Any, config: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what could build the model: its own class, else what the automatic ones take."""
    for name in config.get("architectures") or ():
        if isinstance(getattr(transformers, str(name), None), type):
            yield getattr(transformers, str(name))
            return
    yield transformers.AutoModelForCausalLM.from_config
    yield transformers.AutoModelForMaskedLM.from_config


def _bound(checkpoint: Checkpoint, model: Any) -> set[str]:
    """Return the names of the parameters and buffers whose shapes depend on the vocabulary."""
    shapes = {name: each.shape for name, each in model.state_dict().items()}
    grown = _build(checkpoint, grown=_GROWTH).state_dict()
    return {name for name, each in grown.items() if shapes.get(name) != each.shape}


def _parameters(checkpoint: Checkpoint, model: Any) -> dict[str, str]:
    """Return the parameter that each tensor of the checkpoint would be loaded into."""
    rename = _renaming(model, model.state_dict())
    return {name: rename(name) for name in checkpoint.tensors}


def _renaming(model: Any, state: dict[str, Any]) -> Callable[[str], str]:
    """Return what maps names in the checkpoint to names in the model."""
    prefix = model.base_model_prefix

    def simple(name: str) -> str:
        longer, shorter = f"{prefix}.{name}", name.removeprefix(f"{prefix}.")
        return next((each for each in (name, longer, shorter) if each in state), name)

    try:
        mapping: Any = import_module("transformers.conversion_mapping")
        loading: Any = import_module("transformers.core_model_loading")
        steps = mapping.get_model_conversion_mapping(model)
    except (ImportError, AttributeError):  # transformers 4 renames less
        return simple
    renamings = [step for step in steps if isinstance(step, loading.WeightRenaming)]
    others = [step for step in steps if not isinstance(step, loading.WeightRenaming)]

    def rename(name: str) -> str:
        new = str(loading.rename_source_key(name, renamings, others, prefix, state)[0])
        return new if new in state else simple(name)

    return rename


def _aliases(model: Any, parameter: Any) -> list[str]:
    """Return all names of a parameter; tied ones have several."""
    return [
        name
        for name, each in model.named_parameters(remove_duplicate=False)
        if each is parameter
    ]


def _stored(parameters: Mapping[str, str], wanted: Sequence[str]) -> list[str]:
    """Return the tensors of the checkpoint that are loaded into some parameters."""
    return [name for each in wanted for name, found in parameters.items() if found == each]


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from writing to standard error."""
    import warnings

    logging = transformers.utils.logging
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)


def _line(error: Exception) -> str:
    """Return the first line of a message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
