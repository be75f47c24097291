"""What is accepted equals, cell by cell, what an independent strict reader makes of the same bytes."""

from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets_tests.core.ingestion.made_files import result_or_refusal, table

SETTINGS = settings(max_examples=150, deadline=None)
DELIMITERS = st.sampled_from([",", ";", "\t", " ", "|"])
CELLS = st.text(
    st.sampled_from(list("ab1.-,;|\t \"'\n€é")) | st.characters(codec="utf-8", categories=["L", "N"]), max_size=6
)


def slow_rows(data: bytes, delimiter: str, quote: str | None) -> list[list[str]]:
    """Rows by Python's csv module in strict mode, as ordinary people would read them."""
    lines = io.StringIO(data.decode("utf-8-sig"), newline="")
    if quote is None:
        return list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True))
    return list(csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True))


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 4))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2, max_size=6))


@SETTINGS
@given(tables(), DELIMITERS, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_a_writer_wrote_is_read_back(rows: list[list[str]], delimiter: str, end: str, everything: bool) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if everything else csv.QUOTE_NONNUMERIC
    )
    writer.writerows(rows)
    read = table(buffer.getvalue(), delimiter=delimiter, header=False, null_values=[])
    assert [list(row) for row in read.rows()] == rows


@SETTINGS
@given(
    st.text(st.sampled_from(list("ab1,;\"'\n\r\t ")), min_size=1, max_size=60).map(str.encode),
    st.sampled_from([",", ";", "\t", " "]),
    st.sampled_from(['"', "'", None]),
)
def test_accepted_bytes_mean_what_the_slow_reader_says(data: bytes, delimiter: str, quote: str | None) -> None:
    read = result_or_refusal(lambda: table(data, delimiter=delimiter, quote=quote, header=False, null_values=[]))
    if isinstance(read, InputError):
        return
    assert [list(row) for row in read.rows()] == slow_rows(data, delimiter, quote)


@pytest.mark.parametrize("seed", range(60))
def test_a_mutated_file_is_refused_or_read_as_the_slow_reader_reads_it(seed: int) -> None:
    """Seeded damage to a sound file: bytes flipped, cut, inserted, doubled."""
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    rows = [[str(chance.randrange(1000)), chance.choice(["x", 'say "hi"', "a,b", "two\nlines", ""])] for _ in range(30)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=chance.choice(["\n", "\r\n"])).writerows([["id", "text"], *rows])
    data = bytearray(buffer.getvalue().encode())
    for _ in range(chance.randrange(1, 3)):
        at = chance.randrange(len(data))
        damage = chance.choice(["flip", "cut", "insert", "double"])
        if damage == "flip":
            data[at] ^= 1 << chance.randrange(8)
        elif damage == "cut":
            del data[at : at + chance.randrange(1, 20)]
        elif damage == "insert":
            data[at:at] = bytes([chance.choice(b'",\n\r\x00\xff;')])
        else:
            data[at:at] = data[at : at + 20]
    read = result_or_refusal(lambda: table(bytes(data), null_values=[], header=False))
    if isinstance(read, InputError):
        assert len(str(read)) < 2000
        return
    assert [list(row) for row in read.rows()] == slow_rows(bytes(data), ",", '"')
