"""The words of an SQL expression, and which of them stay within one row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Functions of Polars' SQL whose value for a row depends on that row alone; each has an example in the tests.
FUNCTIONS = _names("""
    ABS ACOS ACOSD ASIN ASIND ATAN ATAN2 ATAN2D ATAND CBRT CEIL CEILING COS COSD COT COTD DEGREES DIV EXP FLOOR LN LOG
    LOG10 LOG1P LOG2 MOD PI POW POWER RADIANS ROUND SIGN SIN SIND SQRT TAN TAND TRUNC TRUNCATE
    BIT_COUNT BIT_LENGTH CHAR_LENGTH CHARACTER_LENGTH CONCAT CONCAT_WS ENDS_WITH INITCAP LEFT LENGTH LOWER LPAD LTRIM
    NORMALIZE OCTET_LENGTH REGEXP_LIKE REGEXP_REPLACE REPLACE REVERSE RIGHT RPAD RTRIM SPLIT_PART STARTS_WITH STRPOS
    SUBSTR SUBSTRING TRIM UPPER
    DATE_PART DATE_TRUNC DAY EXTRACT HOUR MONTH QUARTER STRFTIME STRPTIME WEEK YEAR
    COALESCE GREATEST IF IFNULL LEAST NULLIF
    CAST TRY_CAST
    """)
# What looks at other rows, with what may have been meant.
AGGREGATES = {
    **dict.fromkeys(
        _names("""
        ANY_VALUE APPROX_COUNT_DISTINCT ARRAY_AGG AVG BIT_AND BIT_OR BIT_XOR CORR COUNT COVAR COVAR_POP COVAR_SAMP
        CUME_DIST DENSE_RANK EXPLODE FIRST FIRST_VALUE GENERATE_SERIES GROUPING LAG LAST LAST_VALUE LEAD MEDIAN MODE
        NTH_VALUE NTILE OVER PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK QUANTILE_CONT QUANTILE_DISC RANK ROW_NUMBER
        STDDEV STDDEV_POP STDDEV_SAMP STDEV STDEV_SAMP STRING_AGG SUM UNNEST VAR VARIANCE VAR_POP VAR_SAMP
        """),
        "",
    ),
    "MAX": "GREATEST takes the largest of several columns",
    "MIN": "LEAST takes the smallest of several columns",
}
CLOCK = _names("CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP NOW TODAY")
# Functions that are called, or at work, without brackets of their own.
WITHOUT_BRACKETS = _names("CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP OVER")
KEYWORDS = _names("""
    AND AS BETWEEN BOTH CASE DISTINCT ELSE END ESCAPE FALSE FOR FROM ILIKE IN IS LEADING LIKE NOT NULL OR REGEXP RLIKE
    THEN TRAILING TRUE WHEN XOR
    """)
# Words that open a query or bring rows in; an expression has none of them.
QUERIES = _names("""
    ALL ANY COLUMNS EXISTS EXCLUDE FILTER GROUP HAVING JOIN LIMIT ORDER PARTITION QUALIFY SELECT SOME TABLE UNION VALUES
    WHERE WINDOW WITH
    """)
# After these, a word names a type or a part of a date, not a column: CAST(a AS DATE), a::DATE, EXTRACT(hour FROM t).
TYPED_TEXTS = _names("DATE INTERVAL TIME TIMESTAMP DATETIME")
TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>--|/\*|\#)
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d]\w*)
  | (?P<cast>::)
  | (?P<sign>[-+*/%<>=!|&~^(),])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """A word that must be known: a column's name, a function's, or a word that only queries have."""

    kind: Literal["name", "function", "query"]
    text: str
    quoted: bool = False


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def words(sql: str) -> list[Word]:
    """The words of an expression that must be known, in order; ValueError where it holds what no expression may."""
    tokens = _tokens(sql)
    found = []
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else _Token("", "")
        after = tokens[place + 1] if place + 1 < len(tokens) else _Token("", "")
        word = _word(token, before, after, _is_date_part(tokens, place))
        if word is not None:
            found.append(word)
    return found


def _word(token: _Token, before: _Token, after: _Token, date_part: bool) -> Word | None:
    """What a token names, or None where it names nothing that must be known."""
    name = token.text.upper()
    if token.kind == "quoted":
        if after.text == "(":
            message = f"{token.text[:40]} is a name in quotes, not a function"
            raise ValueError(message)
        return _column(token.text[1:-1].replace('""', '"'), quoted=True)
    of_a_type = before.kind == "cast" or before.text.upper() == "AS" or (name in TYPED_TEXTS and after.kind == "text")
    if token.kind != "word" or date_part or of_a_type or name in KEYWORDS:
        return None
    if name in QUERIES:
        return Word("query", name)
    if after.text == "(" or name in WITHOUT_BRACKETS:
        return Word("function", name)
    return _column(token.text, quoted=False)


def _column(name: str, *, quoted: bool) -> Word:
    if name.startswith("^") and name.endswith("$"):
        message = f"'{name[:40]}' would be read as a pattern over names; name one column"
        raise ValueError(message)
    return Word("name", name, quoted)


def _is_date_part(tokens: list[_Token], place: int) -> bool:
    """Whether a token is the part in EXTRACT(part FROM …), or the unit in INTERVAL '1' unit."""
    before = [token.text.upper() for token in tokens[max(0, place - 2) : place]]
    after = tokens[place + 1].text.upper() if place + 1 < len(tokens) else ""
    if before == ["EXTRACT", "("] and after == "FROM":
        return True
    return len(before) == 2 and before[0] == "INTERVAL" and tokens[place - 1].kind == "text"


def _tokens(sql: str) -> list[_Token]:
    """Tokens without spaces; brackets are balanced and every character is one that an expression may hold."""
    tokens = []
    place = depth = 0
    while place < len(sql):
        match = TOKEN.match(sql, place)
        if match is None:
            message = f"character {sql[place]!r} at position {place + 1} is no part of an expression"
            if sql[place] in "'\"":
                message = f"the quote at position {place + 1} is never closed"
            raise ValueError(message)
        kind, text = str(match.lastgroup), match.group()
        if kind == "comment":
            message = f"'{text}' at position {place + 1} opens a comment; remove it (a minus sign twice needs a space)"
            raise ValueError(message)
        depth += (text == "(") - (text == ")")
        if depth < 0:
            message = f"the bracket at position {place + 1} closes nothing"
            raise ValueError(message)
        if kind != "space":
            tokens.append(_Token(kind, text))
        place = match.end()
    if depth:
        message = f"{depth} bracket(s) are never closed"
        raise ValueError(message)
    return tokens
