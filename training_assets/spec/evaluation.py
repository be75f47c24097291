"""How a candidate is measured on the test split, and the rules that it must pass."""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from training_assets.spec.section import Section

CardField = Literal["overview", "users", "use_cases", "out_of_scope", "limitations", "ethical_considerations"]
CARD_FIELDS: tuple[CardField, ...] = get_args(CardField)
NEEDED: tuple[CardField, ...] = ("overview", "use_cases", "limitations")
BEYOND = 2
"""Replicates that lie beyond a bound, at least: the outermost one of few is no bound of the confidence asked for."""
MOST_REPLICATES = 10_000


class Rule(Section):
    """What every rule has."""

    otherwise: Literal["reject", "review"] = Field("reject", description="What a miss leads to.")


class MetricRule(Rule):
    """A rule about one metric."""

    metric: str = Field(description="Metric by scikit-learn's name, e.g. roc_auc, log_loss, rmse, pinball_loss.")


def _refuse_empty(floor: float | None, ceiling: float | None) -> None:
    """Refuse bounds that no number keeps."""
    if floor is not None and ceiling is not None and floor > ceiling:
        message = f"'min: {floor:g}' is above 'max: {ceiling:g}', and no value is both; swap them, or drop one"
        raise ValueError(message)


class ValueRule(MetricRule):
    """A floor or a ceiling for one metric; bounds are inclusive."""

    kind: Literal["value"]
    min: float | None = Field(None, allow_inf_nan=False, description="Floor.")
    max: float | None = Field(None, allow_inf_nan=False, description="Ceiling.")
    compare: Literal["point", "bound"] = Field("point", description="The value itself, or its worse confidence bound.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> ValueRule:
        if self.min is None and self.max is None:
            message = "a value rule needs 'min' or 'max'"
            raise ValueError(message)
        _refuse_empty(self.min, self.max)
        return self


class BeatsDummyRule(MetricRule):
    """Better than always predicting the training split's class shares or mean, by a margin, beyond chance."""

    kind: Literal["beats_dummy"]
    margin: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="How much better the value and its gain's lower bound must be, in the metric's own unit.",
    )


class ChangeRule(MetricRule):
    """Against the champion, on test rows that it never saw: not worse by more than a margin, or better by a gain."""

    kind: Literal["change"]
    must_be: Literal["non_inferior", "superior"] = Field(
        "non_inferior", description="Worse by less than the margin, or better by more than it; one-sided confidence."
    )
    margin: float = Field(0.0, ge=0, allow_inf_nan=False, description="In the metric's own unit.")


class SliceRule(MetricRule):
    """The same for every slice, or for those that are named: a floor, a ceiling, or no harm against the champion."""

    kind: Literal["slice"]
    slices: list[str] = Field(default_factory=list, description="Names under evaluation.slices; none: all of them.")
    min: float | None = Field(None, allow_inf_nan=False, description="Floor of the metric on each slice.")
    max: float | None = Field(None, allow_inf_nan=False, description="Ceiling of the metric on each slice.")
    no_harm: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Largest loss against the champion on a slice."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> SliceRule:
        if self.min is None and self.max is None and self.no_harm is None:
            message = "a slice rule needs 'min', 'max' or 'no_harm'"
            raise ValueError(message)
        _refuse_empty(self.min, self.max)
        return self


class SuspiciousRule(MetricRule):
    """Too good to be true: a metric as good as the bound, or better, is a leak until a person has looked."""

    kind: Literal["suspicious"]
    beyond: float = Field(allow_inf_nan=False, description="From which value on nobody believes it.")
    otherwise: Literal["reject", "review"] = Field("review", description="What a miss leads to.")


class CalibrationRule(Rule):
    """Probabilities are frequencies: the expected calibration error of the test rows has a ceiling."""

    kind: Literal["calibration"]
    max: float = Field(0.05, gt=0, le=1, description="Expected calibration error over bins of equally many rows.")


class RuntimeRule(Rule):
    """What a model may cost: a prediction, as measured by the evaluation on its own machine, and its files on disk."""

    kind: Literal["runtime"]
    latency_ms: float | None = Field(None, gt=0, allow_inf_nan=False, description="One row, 95th percentile.")
    size_mb: float | None = Field(None, gt=0, allow_inf_nan=False, description="Size of the model's files on disk.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> RuntimeRule:
        if self.latency_ms is None and self.size_mb is None:
            message = "a runtime rule needs 'latency_ms' or 'size_mb'"
            raise ValueError(message)
        return self


class ParityRule(Rule):
    """The model's files, loaded again, give the scores that training saw; staging asks the same of a fresh process."""

    kind: Literal["parity"]
    tolerance: float = Field(1e-9, ge=0, allow_inf_nan=False, description="Largest difference of a score.")


class CardRule(Rule):
    """What only people can say is written under `card`."""

    kind: Literal["card"]
    fields: list[CardField] = Field(
        default_factory=lambda: list(NEEDED), min_length=1, description="What must be said."
    )
    otherwise: Literal["reject", "review"] = Field("review", description="What a miss leads to.")


AnyRule = Annotated[
    ValueRule
    | BeatsDummyRule
    | ChangeRule
    | SliceRule
    | SuspiciousRule
    | CalibrationRule
    | RuntimeRule
    | ParityRule
    | CardRule,
    Field(discriminator="kind"),
]


class Slice(Section):
    """Test rows that are looked at on their own: by the values of a column, of several crossed, or by a predicate."""

    columns: list[str] = Field(default_factory=list, max_length=3, description="Features; several are crossed.")
    bins: int = Field(4, ge=2, le=20, description="Quantile bins of a column of numbers, cut on training rows.")
    where: str | None = Field(None, max_length=500, description="Or a predicate, in the words of derived features.")
    min_rows: int = Field(30, ge=1, description="Parts with fewer test rows, or under 10 groups, are not judged.")

    @model_validator(mode="after")
    def _one_way(self) -> Slice:
        if bool(self.columns) == (self.where is not None):
            message = "a slice needs either 'columns' or 'where'"
            raise ValueError(message)
        return self


class Evaluation(Section):
    """Measurement on the test split."""

    replicates: int = Field(200, ge=50, le=MOST_REPLICATES, description="Bootstrap replicates behind each interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="One-sided confidence of the bounds.")
    slices: dict[str, Slice] = Field(default_factory=dict, description="Parts of the test rows, by name.")
    min_unseen: int = Field(100, ge=1, description="Test rows unseen by the champion that a comparison needs.")
    gates: list[AnyRule] = Field(default_factory=list, description="Rules; without any, the verdict is UNGATED.")

    @model_validator(mode="after")
    def _replicates_reach_the_confidence(self) -> Evaluation:
        beyond = 1 - self.confidence
        # rounded, because 1 - 0.9 is a little less than 0.1
        if round(self.replicates * beyond, 6) >= BEYOND:
            return self
        needed = math.ceil(round(BEYOND / beyond, 6))
        most = 1 - BEYOND / MOST_REPLICATES
        remedy = f"'replicates: {needed}'" if needed <= MOST_REPLICATES else f"'confidence: {most:g}' or less"
        message = (
            f"'replicates: {self.replicates}' are too few for 'confidence: {self.confidence}': {BEYOND} must lie "
            f"beyond a bound; write {remedy}"
        )
        raise ValueError(message)

    @model_validator(mode="after")
    def _slices_are_known(self) -> Evaluation:
        for rule in self.gates:
            for name in rule.slices if isinstance(rule, SliceRule) else []:
                if name not in self.slices:
                    message = f"a slice rule names '{name}', which is not under evaluation.slices"
                    raise ValueError(message)
            if isinstance(rule, SliceRule) and not self.slices:
                message = "a slice rule needs slices; declare some under evaluation.slices"
                raise ValueError(message)
        return self
