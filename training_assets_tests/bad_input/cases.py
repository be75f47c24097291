"""The hundred cases, in the order of their numbers."""

from __future__ import annotations

from training_assets_tests.bad_input.case import Case
from training_assets_tests.bad_input.files import FILES
from training_assets_tests.bad_input.structure import STRUCTURE
from training_assets_tests.bad_input.values import VALUES

CASES: list[Case] = sorted([*STRUCTURE, *VALUES, *FILES], key=lambda case: case.number)
