"""What a study comes to in a few lines: the final model, the best trials, the best one's parameters, each family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training_assets.core.plots.trials import families_of, score_of, scored

if TYPE_CHECKING:
    from training_assets.core.search.study import Study, Trial

MOST_TRIALS = 8  # more, and Dagster hides the table behind a link
TEXT = 100  # characters of a value and of a reason


def study_tables(study: Study) -> dict[str, list[dict[str, Any]]]:
    """Tables by name: `final_model`, `best_trials`, `best_parameters` and `families`; all lines of one are alike.

    Members by weight, trials and families by score, the best first; a family's reason is that of its first failure.
    """
    trials = {trial.number: trial for trial in study.trials}
    ranked = _ranked(study, study.trials)
    members = sorted(study.members, key=lambda member: (-member.weight, member.trial))
    return {
        "final_model": [
            {
                "trial": member.trial,
                "family": trials[member.trial].family,
                "weight": round(member.weight, 3),
                study.metric: trials[member.trial].score,
                "iterations": member.iterations,
                "refitted": "yes" if member.refitted else "no",
                "seconds": round(member.seconds, 1),
            }
            for member in members
        ],
        "best_trials": [
            {
                "trial": trial.number,
                "family": trial.family,
                study.metric: trial.score,
                "state": trial.state,
                "from": trial.origin,
                "iterations": trial.best_iteration,
                "seconds": round(trial.seconds, 1),
            }
            for trial in ranked[:MOST_TRIALS]
        ],
        "best_parameters": [
            {"parameter": name, "value": value if isinstance(value, int | float) else _short(str(value))}
            for trial in ranked[:1]
            for name, value in trial.params.items()
        ],
        "families": _families(study),
    }


def _families(study: Study) -> list[dict[str, Any]]:
    lines = []
    failed = any(trial.state == "failed" for trial in study.trials)
    for family in families_of([*_ranked(study, study.trials), *study.trials]):
        own = [trial for trial in study.trials if trial.family == family]
        best = _ranked(study, own)[:1]
        reasons = [trial.reason for trial in own if trial.reason]
        line = {
            "family": family,
            "trials": len(own),
            f"best {study.metric}": best[0].score if best else None,
            "pruned": sum(trial.state == "pruned" for trial in own),
            "failed": sum(trial.state == "failed" for trial in own),
            "seconds": round(sum(trial.seconds for trial in own), 1),
        }
        if failed:
            line["why it failed"] = _short(" ".join(reasons[0].split())) if reasons else None
        lines.append(line)
    return lines


def _ranked(study: Study, trials: list[Trial]) -> list[Trial]:
    """Trials with a score, the best first, of equal ones the first."""
    sign = -1 if study.direction == "higher" else 1
    return sorted(scored(trials), key=lambda trial: (sign * score_of(trial), trial.number))


def _short(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
