"""The verdict: what the outcomes of all rules say together, bound to what was judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from training_assets.core import fingerprint

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "ERROR"]
Otherwise = Literal["reject", "review"]
VerdictName = Literal["PASS", "REVIEW", "REJECT", "ERROR", "UNGATED"]


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule: the number seen, the bound it was held against, and a sentence for people."""

    rule: dict[str, Any]
    outcome: Outcome
    observed: float | None
    bound: float | None
    otherwise: Otherwise
    text: str

    def __post_init__(self) -> None:
        """Refuse outcomes that no verdict knows, and numbers that JSON cannot hold."""
        if self.outcome not in get_args(Outcome) or self.otherwise not in get_args(Otherwise):
            message = f"no rule ends in {self.outcome!r} and {self.otherwise!r}"
            raise ValueError(message)
        for number in (self.observed, self.bound):
            if number is not None and not math.isfinite(number):
                message = f"a rule's result holds {number!r}; write None for what has no value"
                raise ValueError(message)


@dataclass(frozen=True)
class Verdict:
    """Immutable, and bound by digest to the candidate, the report and the policy; a change of any voids it."""

    name: VerdictName
    results: tuple[RuleResult, ...]
    candidate: str
    report: str
    policy: str
    explanation: str

    def __post_init__(self) -> None:
        """Refuse a name that does not follow from the results, and a verdict about nothing."""
        following = name_of(self.results)
        if self.name != following:
            message = f"the results say {following}, not {self.name!r}"
            raise ValueError(message)
        for field in ("candidate", "report", "policy"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value:
                message = f"a verdict needs the digest of its {field}"
                raise ValueError(message)

    @property
    def digest(self) -> str:
        """Sha256 over everything in the verdict."""
        return fingerprint.digest(self.to_json())

    def allows(self, action: Literal["register"]) -> bool:
        """Whether the verdict alone, without a person, permits the action: PASS does, nothing else."""
        return action == "register" and self.name == "PASS"

    @property
    def asks(self) -> bool:
        """Whether a person may decide otherwise; what went wrong (ERROR) is mended and judged anew instead."""
        return self.name in {"REVIEW", "REJECT", "UNGATED"}

    @property
    def overridden(self) -> tuple[str, ...]:
        """Names of the failed hard rules, e.g. `value roc_auc`: what a waiver of a REJECT has to list."""
        names: list[str] = []
        for result in self.results:
            name = " ".join(str(result.rule[key]) for key in ("kind", "metric") if key in result.rule)
            same = sum(each == name or each.startswith(f"{name} #") for each in names)
            names.append(f"{name} #{same + 1}" if same else name)
        return tuple(
            name
            for name, result in zip(names, self.results, strict=True)
            if result.outcome == "FAIL" and result.otherwise == "reject"
        )

    def to_json(self) -> dict[str, Any]:
        """Write the verdict as plain JSON values."""
        return {**asdict(self), "results": [asdict(result) for result in self.results]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """Read the verdict that `to_json` wrote; ValueError where keys are missing, unknown or at odds."""
        try:
            results = tuple(RuleResult(**result) for result in data["results"])
            return cls(**{**data, "results": results})
        except (TypeError, KeyError, AttributeError) as error:
            message = f"this is no verdict: {error}"
            raise ValueError(message) from error


def name_of(results: Sequence[RuleResult]) -> VerdictName:
    """Name the verdict that follows; PASS only if a rule held, and each other one held or did not apply."""
    if not results:
        return "UNGATED"
    outcomes = {result.outcome for result in results}
    if "ERROR" in outcomes:
        return "ERROR"
    if any(result.outcome == "FAIL" and result.otherwise == "reject" for result in results):
        return "REJECT"
    if outcomes & {"FAIL", "INCONCLUSIVE"} or "PASS" not in outcomes:
        return "REVIEW"
    return "PASS"


def explain(results: Sequence[RuleResult]) -> str:
    """Why the verdict is what it is, in a sentence or two: the rules that decided it, or that all hold."""
    name = name_of(results)
    if name == "UNGATED":
        return "UNGATED: no rules were given, so nothing was shown; add some under evaluation.gates"
    deciding = {"ERROR": {"ERROR"}, "REJECT": {"FAIL"}, "REVIEW": {"FAIL", "INCONCLUSIVE"}}.get(name, set())
    texts = [result.text for result in results if result.outcome in deciding]
    if texts:
        return f"{name}: {'; '.join(texts)}"
    held = sum(result.outcome == "PASS" for result in results)
    if held == 0:
        return f"{cast('str', name)}: no rule could be applied"
    idle = len(results) - held
    others = f", {idle} {'does' if idle == 1 else 'do'} not apply" if idle else ""
    return f"{name}: {'the rule holds' if held == 1 else f'{held} rules hold'}{others}"
