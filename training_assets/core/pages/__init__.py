"""Pages for people: self-contained HTML and Markdown, made of what was measured; nothing is computed here."""

from training_assets.core.pages.card import card_of, card_page, card_text
from training_assets.core.pages.report import report_page

__all__ = ["card_of", "card_page", "card_text", "report_page"]
