"""What a search says while it runs: a line now and then, never one for each of many trials."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable

from training_assets.core.search.study import Trial

OFTEN, SELDOM = 1.0, 5.0  # seconds between two lines, where something is new and where nothing is
FEW = 8  # so many first trials are news each
SHOWN = 4  # fits that run, named in a line
REASON, NAME, PHASE = 200, 40, 80  # characters that are said of an error, a family and a phase


class Progress:
    """Says how a search goes: how many trials, how fast, the best so far, what runs now, and how long still.

    A line follows the one before after `OFTEN` seconds where it has news (one of the first trials, a better score),
    else after `SELDOM`; a new phase and a family's first failure are said at once, the last trial at the latest with
    the next phase. Any thread may tell; a line is said in the thread whose telling made it due.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        clock: Callable[[], float],
        budget_seconds: float,
        metric_name: str,
        better: Callable[[float, float], bool],
        *,
        trials: int | None = None,
        spent: float = 0.0,
    ) -> None:
        """`say` takes one line; `better(score, than)` compares; `trials` is the most there are.

        Time counts from now, but for the `spent` seconds of the budget that an earlier attempt took.
        """
        self._say = say
        self._clock = clock
        self._budget = budget_seconds
        self._metric = metric_name
        self._better = better
        self._most = trials
        self._began = clock() - spent
        self._phase = ""
        self._lock = threading.Lock()
        self._running: dict[int, str] = {}
        self._at: dict[int, tuple[int, float]] = {}
        self._finished = 0
        self._ended = self._began
        self._states: Counter[str] = Counter()
        self._failed: set[str] = set()  # families
        self._best: tuple[float, int, str] | None = None
        self._unsaid = False  # whether a trial finished since the last line
        self._last = -math.inf  # so that the first trial is said at once
        self._due = clock() + SELDOM

    def started(self, number: int, family: str) -> None:
        """A fit of that family begins; `number` is its trial's."""
        with self._lock:
            self._at.pop(number, None)
            self._running[number] = _line(family, NAME)

    def iteration(self, number: int, iterations: int, loss: float) -> None:
        """A running fit has made so many iterations, with this loss (NaN where unknown); costs about a microsecond."""
        self._at[number] = (iterations, loss)  # without the lock: a dict takes one item whole
        self.tick()

    def finished(self, trial: Trial) -> None:
        """A trial is over, however it ended."""
        with self._lock:
            self._running.pop(trial.number, None)
            self._finished += 1
            self._ended = self._clock()
            self._unsaid = True
            self._states[trial.state] += 1
            self._note_failure(trial)
            improved = self._take_best(trial)
            if improved or self._finished <= FEW:
                self._due = min(self._due, self._last + OFTEN)
            self._speak_if_due()

    def over(self, number: int) -> None:
        """A fit that is no trial, such as that of a member of the final model, is over."""
        with self._lock:
            self._running.pop(number, None)

    def phase(self, text: str) -> None:
        """From now on the search does this; trials that no line has counted yet are said before."""
        with self._lock:
            if self._unsaid:
                self._speak()
            self._phase = _line(text, PHASE)
            self._put(f"{self._phase} · {self._time()}")

    def tick(self) -> None:
        """Time has passed; nothing else is new."""
        # Not waited for: whoever holds the lock says what there is to say.
        if self._clock() >= self._due and self._lock.acquire(blocking=False):
            try:
                self._speak_if_due()
            finally:
                self._lock.release()

    def _take_best(self, trial: Trial) -> bool:
        """Whether the trial is the best so far; of equal ones it is the one with the lowest number."""
        if trial.score is None or not math.isfinite(trial.score):
            return False
        new = (trial.score, trial.number, _line(trial.family, NAME))
        if self._best is None or self._better(trial.score, self._best[0]):
            self._best = new
            return True
        if trial.score == self._best[0] and trial.number < self._best[1]:
            self._best = new
        return False

    def _note_failure(self, trial: Trial) -> None:
        if trial.state == "failed" and trial.family not in self._failed:
            self._failed.add(trial.family)
            reason = _line(trial.reason or "nobody knows why", REASON)
            self._say(f"trial {trial.number} · {_line(trial.family, NAME)} failed: {reason}")

    def _speak_if_due(self) -> None:
        if self._clock() >= self._due:
            self._speak()

    def _speak(self) -> None:
        self._unsaid = False
        self._put(" · ".join(part for part in (self._phase, *self._parts(), self._time()) if part))

    def _put(self, line: str) -> None:
        self._say(line)
        self._last = self._clock()  # after a log that is slow, so that lines never follow on one another
        self._due = self._last + SELDOM

    def _parts(self) -> tuple[str, str, str]:
        return self._counts(), self._record(), self._fits()

    def _counts(self) -> str:
        rate = self._rate()
        speed = "" if rate is None else f" ({rate:,.0f} /min)" if rate >= 10 else f" ({rate:.1f} /min)"
        many = f"{self._finished:,} of {self._most:,} trials" if self._most else _trials(self._finished)
        odd = [f", {self._states[state]:,} {state}" for state in ("pruned", "failed") if self._states[state]]
        return many + speed + "".join(odd)

    def _record(self) -> str:
        if self._best is None:
            return ""
        score, number, family = self._best
        return f"best {self._metric} {_number(score)} (trial {number}, {family})"

    def _fits(self) -> str:
        if not self._running:
            return ""
        fits: list[str] = []
        for number, family in list(self._running.items())[:SHOWN]:
            iterations, loss = self._at.get(number, (0, math.nan))
            word = "" if any(" " in fit for fit in fits) else "iteration "
            lost = f" (loss {_number(loss)})" if math.isfinite(loss) else ""
            fits.append(f"{family} {word}{iterations:,}{lost}" if iterations else family)
        more = len(self._running) - len(fits)
        return f"running {', '.join(fits)}" + (f" and {more} more" if more else "")

    def _time(self) -> str:
        elapsed = self._clock() - self._began
        left = self._budget - elapsed
        rate = self._rate()
        if self._most and rate:
            left = min(left, (self._most - self._finished) / rate * 60)
        passed = f"{_duration(elapsed)} of {_duration(self._budget)}"
        return f"{passed}, about {_duration(left)} left" if left >= 1 else passed

    def _rate(self) -> float | None:
        """Trials a minute until the last one ended; None where there is nothing to tell it from."""
        elapsed = self._ended - self._began
        return 60 * self._finished / elapsed if elapsed > 0 else None


def _trials(many: int) -> str:
    return "1 trial" if many == 1 else f"{many:,} trials"


def _line(text: str, most: int) -> str:
    """Text on one line, short."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _number(value: float) -> str:
    """Four decimals where that says something, else as many digits as do."""
    size = abs(value)
    if size >= 1e12 or 0 < size < 1e-3:
        return f"{value:.4g}"
    return f"{value:.4f}" if size < 10 else f"{value:,.2f}" if size < 10_000 else f"{value:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
