"""A metric that a function of the project computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.project_code import place_below, project_function
from training_assets.core.search.measures import Floats, Labels


def own_metric(reference: str, root: Path | None) -> Callable[[Labels, Floats], float]:
    """What `module:function`, a file below the project's root, makes of labels and predictions.

    It is handed class codes (n,) or values (n,), and predictions as families give them: probabilities (n,) or (n, k),
    or values (n,); neither can be written to. Raises `InputError` E_METRIC where there is no such function, and,
    each time that it is asked, where the function fails or gives no number.
    """
    if root is None:
        message = f"search.metric '{reference[:80]}' is a function, and there is no project to import it from"
        raise InputError("E_METRIC", message)
    function = project_function(reference, root, "search.metric", "E_METRIC")

    def compute(y: Labels, predictions: Floats) -> float:
        try:
            value = function(_read_only(y), _read_only(predictions))
        except (Exception, SystemExit) as error:
            message = (
                f"search.metric {reference} raised {type(error).__name__} at {place_below(root, error)}: "
                f"{str(error)[:200]}; mend it"
            )
            raise InputError("E_METRIC", message) from error
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            message = f"search.metric {reference} gave a {type(value).__name__}; return one number"
            raise InputError("E_METRIC", message)
        return float(value)

    return compute


def _read_only(values: Floats) -> Floats:
    view = values.view()
    view.flags.writeable = False
    return view
