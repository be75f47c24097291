"""The one error that is the user's to fix: it says what is wrong, where, and what to do."""

from __future__ import annotations

MAX_MESSAGE = 2000


class InputError(ValueError):
    """Bad input, with a stable code (`E_RAGGED`) and a message under 2,000 characters that names place and remedy."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code apart from the text, so that machines need not parse it."""
        self.code = code
        self.text = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
        super().__init__(f"{code}: {self.text}")
