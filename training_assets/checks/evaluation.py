"""What must hold before a candidate may be registered; these mirror the verdict, enforcement never rests on them."""

from collections.abc import Iterator

import dagster as dg

from training_assets.checks.wearing import claims, worn
from training_assets.core.evaluation.findings import CLAIMS, verdict_findings
from training_assets.governance.judging import REPORT, REPORT_FILE, approved_verdict, judged
from training_assets.resources.artifacts import Result
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec


def of_its_rules(model: str, spec: ModelSpec) -> dg.AssetChecksDefinition:
    """Checks of the verdict, and of the kinds of rule that the spec has; others would look like gates that held."""
    report = dg.AssetKey([model, REPORT])
    kinds = {rule.kind for rule in spec.evaluation.gates}
    every = claims(
        report,
        metrics_reach_floors="Every rule of kind `value` under `evaluation.gates` passes.",
        better_than_dummy="Every rule of kind `beats_dummy` under `evaluation.gates` passes.",
        not_worse_than_champion="Every rule of kind `change` passes, or no other version is in production.",
        slices_hold="Every rule of kind `slice` passes on each part of the test rows that is not too small.",
        not_too_good_to_be_true="Every rule of kind `suspicious` passes: no metric is better than anybody believes.",
        probabilities_are_calibrated="Every rule of kind `calibration` passes.",
        fast_and_small_enough="Every rule of kind `runtime` passes.",
        served_as_evaluated="Every rule of kind `parity` passes: the files, loaded again, give the same scores.",
        card_is_filled_in="Every rule of kind `card` passes: people have said what only they can say.",
        verdict_allows_registration="The rules say PASS, or people approved; registration asks the ledger itself.",
    )

    @dg.multi_asset_check(
        name=f"{model}__evaluation_checks",  # each model has its own, and Dagster one name for each
        specs=[claim for claim in every if claim.name not in CLAIMS or CLAIMS[claim.name] in kinds],
        ins={REPORT: dg.AssetIn(report)},
    )
    def evaluation_checks(
        context: dg.AssetCheckExecutionContext,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        evaluation_report: Result,
    ) -> Iterator[dg.AssetCheckResult]:
        """The spec's rules, judged anew from the report as it was written."""
        model = models.of(context)
        verdict = judged(model, evaluation_report, evaluation_report.artifact.json(REPORT_FILE))
        case = approved_verdict(model, places, verdict)
        approved = None if case is None else f"approved by {case.decided_by}: {case.comment}"
        yield from worn(context, verdict_findings(verdict, approved))

    return evaluation_checks
