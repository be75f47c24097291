"""The one error that is the user's to fix: it says what is wrong, where, and what to do."""

from __future__ import annotations

MAX_MESSAGE = 2000


class InputError(ValueError):
    """Bad input, with a stable code (`E_RAGGED`) and a printable message under 2,000 characters: place and remedy."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code apart from the text, so that machines need not parse it."""
        self.code = code
        text = _on_one_line(message)
        self.text = text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
        super().__init__(f"{code}: {self.text}")


def _on_one_line(message: str) -> str:
    """The message without what a terminal obeys: libraries quote the bytes that they could not read."""
    if message.isprintable():
        return message
    plain = (mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in message)
    return "".join(" " if mark in {r"\n", r"\r", r"\t"} else mark for mark in plain).strip()
