"""The methods of initialisation, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tokkit.errors import UsageError
from tokkit.transplant.context import Method
from tokkit.transplant.methods import pieces
from tokkit.transplant.methods.focus import focus
from tokkit.transplant.methods.knn import knn
from tokkit.transplant.methods.omp import omp
from tokkit.transplant.methods.ridge import ridge
from tokkit.transplant.methods.tokenadapt import tokenadapt
from tokkit.transplant.methods.wechsel import wechsel
from tokkit.transplant.methods.zett import zett

if TYPE_CHECKING:
    from rich.console import RenderableType

Need = Literal["auxiliary", "corpus", "donor", "hypernet"]


@dataclass(frozen=True)
class Recipe:
    """A method and what there is to say about it.

    Attributes:
        method: Makes the rows.
        formula: What a new row is.
        paper: Where it is from.
        needs: What it needs besides the two tokenizers.
        sided: Whether it does something else for the output than for the input.
    """

    method: Method
    formula: str
    paper: str
    needs: frozenset[Need] = frozenset()
    sided: bool = False


METHODS: Mapping[str, Recipe] = {
    "mean": Recipe(
        pieces.mean, "1/n Σ E[p_m]", "FVT (Gee et al. 2022); ReTok (arXiv 2410.04335)"
    ),
    "last": Recipe(pieces.last, "E[p_n]", "transplant-vocab (input side)"),
    "front": Recipe(pieces.front, "Σ d^m E[p_m] / Σ d^m", "transplant-vocab (output side)"),
    "mean-shrunk": Recipe(
        pieces.mean_shrunk,
        "r/n + (1 - 1/n) μ, r as mean has it, μ the mean of E",
        "tokkit; the default for tied models",
    ),
    "front-shrunk": Recipe(
        pieces.front_shrunk,
        "r/n + (1 - 1/n) μ, r as front has it, μ the mean of E",
        "tokkit; the default for heads",
    ),
    "adaptivocab": Recipe(
        pieces.adaptivocab,
        "Σ w_m E[p_m], w ∝ exp(2m) for input, exp(-2m) for output",
        "AdaptiVocab (arXiv 2503.19693)",
        sided=True,
    ),
    "tokenadapt": Recipe(
        tokenadapt,
        "0.7 Σ w_m E[p_m] + 0.3 Σ v_j E[j], w from length and similarity, v of 3 neighbours",
        "TokenAdapt (arXiv 2505.09738)",
        frozenset({"auxiliary"}),
    ),
    "focus": Recipe(
        focus,
        "Σ sparsemax(cos(f, f_j)) E[j] over shared tokens j, f learned from text",
        "FOCUS (arXiv 2305.14481)",
        frozenset({"corpus"}),
    ),
    "wechsel": Recipe(
        wechsel,
        "Σ softmax(cos / 0.1) E[j] over the 10 nearest old tokens j",
        "WECHSEL (Minixhofer et al. 2022)",
        frozenset({"corpus"}),
    ),
    "omp": Recipe(
        omp,
        "Σ c_j E[j] with D[new] ≈ Σ c_j D[j], orthogonal matching pursuit in a donor D",
        "OMP (arXiv 2506.06607)",
        frozenset({"donor"}),
        sided=True,
    ),
    "knn": Recipe(
        knn,
        "Σ w_j E[j], w ∝ 1 / distance to the nearest shared tokens in a donor",
        "mergekit-tokensurgeon (common_interpolation)",
        frozenset({"donor"}),
        sided=True,
    ),
    "ridge": Recipe(
        ridge,
        "affine map from donor rows to source rows, fitted on shared tokens",
        "ridge regression; cf. mergekit-tokensurgeon (landmark_pca)",
        frozenset({"donor"}),
        sided=True,
    ),
    "zett": Recipe(
        zett,
        "h(E[p_1], ..., E[p_n]), h a hypernetwork that was trained for this model",
        "ZeTT (arXiv 2405.07883)",
        frozenset({"hypernet"}),
    ),
    "global-mean": Recipe(pieces.global_mean, "mean of E", "mergekit-tokensurgeon (mean)"),
    "random": Recipe(pieces.random, "N(mean, std) of each dimension of E", "baseline"),
}
"""Every method by its name, as the command line calls it."""


class Listing:
    """All methods, as something that can show itself."""

    def as_json(self) -> dict[str, Any]:
        """Name, formula, paper and needs of each, as JSON."""
        return {
            name: {
                "formula": recipe.formula,
                "paper": recipe.paper,
                "needs": sorted(recipe.needs),
            }
            for name, recipe in METHODS.items()
        }

    def __rich__(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(box=SIMPLE_HEAD)
        table.add_column("method", no_wrap=True)
        for column in ("a new row is", "from", "needs"):
            table.add_column(column)
        for name, recipe in METHODS.items():
            table.add_row(name, recipe.formula, recipe.paper, ", ".join(sorted(recipe.needs)))
        return table


def find_method(name: str) -> Recipe:
    """Return the recipe of a method.

    Raises:
        UsageError: If there is none of that name.
    """
    if name not in METHODS:
        raise UsageError(f"no method {name!r}: choose one of {', '.join(METHODS)}")
    return METHODS[name]
