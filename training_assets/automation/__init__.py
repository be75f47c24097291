"""When things run: the jobs of a model, those with a form for people, and the sensors that launch them."""

from training_assets.automation.inspection import inspections
from training_assets.automation.jobs import jobs
from training_assets.automation.people import forms
from training_assets.automation.sensors import sensors

__all__ = ["forms", "inspections", "jobs", "sensors"]
