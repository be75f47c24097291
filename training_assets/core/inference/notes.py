"""What an inference says of itself: what it took for granted, and what only a person can answer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """What could not be inferred; `key` is the spec key (or the option of the command) that answers it."""

    key: str
    text: str
    proposal: str


@dataclass
class Notes:
    """Assumptions and questions in the order in which they arose."""

    assumptions: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def assume(self, text: str) -> None:
        """Say what was taken for granted."""
        self.assumptions.append(text)

    def ask(self, key: str, text: str, proposal: str) -> None:
        """Say what is open, and what the spec holds until somebody answers."""
        self.questions.append(Question(key, text, proposal))
