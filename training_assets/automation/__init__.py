"""When things run: the jobs of a model, and the sensors that launch them."""

from training_assets.automation.jobs import MODEL_TAG, jobs
from training_assets.automation.sensors import sensors

__all__ = ["MODEL_TAG", "jobs", "sensors"]
