"""Whatever a table holds, a draft is an InputError that asks, or a spec that reads the very table."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from training_assets.core.errors import InputError
from training_assets.core.inference.draft import Draft, draft, to_yaml
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec

Cell = Callable[[random.Random, int], str]
KINDS: list[Cell] = [
    lambda _, at: str(at),
    lambda chance, _: str(chance.randrange(3)),
    lambda chance, _: f"{chance.gauss(0, 1):.3f}",
    lambda chance, _: f"{chance.random() * 10:.2f}".replace(".", ","),
    lambda chance, _: chance.choice("abc"),
    lambda chance, _: f"2024-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
    lambda chance, _: f"{chance.randrange(1, 29):02d}/{chance.randrange(1, 13):02d}/2024 {chance.randrange(24)}:00",
    lambda chance, _: chance.choice(["true", "false"]),
    lambda _, at: f"id-{at * 7}",
    lambda chance, at: "word " * chance.randrange(5, 20) + str(at),
    lambda _, __: "",
    lambda _, __: "constant",
    lambda chance, _: str(chance.randrange(10**18, 10**20)),
    lambda chance, _: f"{chance.randrange(99999):05d}",
]
WEIRD = [
    *(
        "",
        "NA",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "5e-324",
        "?",
        " ",
        "\u202e",
        "\x1b[0m",
        "é",
        "e\u0301",
        "0x1",
        "1_0",
        "+5",
    ),
    *(
        "00",
        "9" * 30,
        "2024-02-30",
        "9999-12-31",
        "0001-01-01",
        "'",
        '"',
        '""',
        "=1+1",
        "a\nb",
        "a;b",
        "\u00a01",
        "\u0661",
    ),
    *("-", "None", "true", "Z", "1.5.2024", "12:30"),
]
NAMES = [
    *(
        "id",
        "x",
        "y",
        "label",
        "time",
        "date",
        "customerID",
        "subject#",
        "CO2(t)",
        "select",
        "Order Time",
        "text",
        "count",
    ),
    *("len", "literal", "größe", "1", "a b", "prediction", "%", "x_min", "index", "value", "group"),
]


def written(folder: Path, chance: random.Random) -> tuple[Path, list[str]]:
    """A table of random kinds of columns, some of its cells weird, in a random dialect."""
    names = chance.sample(NAMES, chance.randrange(2, 8))
    kinds = [chance.choice(KINDS) for _ in names]
    share = chance.choice([0, 0, 0.002, 0.05, 0.5])
    rows = [
        [chance.choice(WEIRD) if chance.random() < share else kind(chance, at) for kind in kinds]
        for at in range(chance.choice([3, 10, 40, 150, 300]))
    ]
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        delimiter=chance.choice(",;\t|"),
        quoting=csv.QUOTE_ALL if chance.random() < 0.5 else csv.QUOTE_MINIMAL,
        lineterminator=chance.choice(["\n", "\r\n"]),
    )
    writer.writerows([names, *rows])
    path = folder / "rows.csv"
    path.write_bytes(buffer.getvalue().encode())
    return path, names


def drafted(path: Path, target: str) -> Draft | InputError:
    try:
        return draft(path, target, name=None, root=path.parent)
    except InputError as error:
        return error


@pytest.mark.parametrize("seed", range(120))
def test_a_draft_asks_or_reads_its_own_rows(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    path, names = written(tmp_path, chance)
    done = drafted(path, chance.choice(names))
    if isinstance(done, InputError):
        assert len(str(done)) < 2100
        assert "rows.csv" in str(done) or "'" in str(done)
        return
    spec = done.spec
    assert ModelSpec.model_validate(yaml.safe_load(to_yaml(spec))["attributes"]) == spec
    raw = read_batch(identify(stamps(spec.source, tmp_path)[0]), spec)
    assert raw.height == done.rows
    quarantined = sort_rows(raw, spec).counts["quarantined"]
    said = [*done.assumptions, *(question.text for question in done.questions)]
    assert quarantined == 0 or any("quarantine" in each for each in said)


@pytest.mark.parametrize("name", ["count", "len", "literal", "_rows"[1:], "level", "x", "y"])
def test_no_name_of_a_column_is_taken_by_the_program(tmp_path: Path, name: str) -> None:
    """Polars names the results of some functions by itself; a user's column may have the same name."""
    others = [each for each in ("other", "z") if each != name]
    lines = [f"{at % 2},{at * 7 % 31},{at * 3 % 17}.5" for at in range(120)]
    path = tmp_path / "rows.csv"
    for header in ([name, *others], [others[0], name, others[1]]):
        path.write_text(",".join(header) + "\n" + "\n".join(lines) + "\n")
        for target in header:
            assert isinstance(drafted(path, target), Draft)
