"""How features become numbers: fitted on the training split alone, kept as JSON, the same for training and serving."""

from training_assets.core.encoding.layout import FeatureKinds, Layout
from training_assets.core.encoding.preprocessor import Preprocessor

__all__ = ["FeatureKinds", "Layout", "Preprocessor"]
