"""Where the rows of a model come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.secret import Secret
from training_assets.spec.section import Section

FileFormat = Literal["csv", "parquet", "arrow", "jsonl", "arff", "excel"]
Kind = Literal["files", "database", "delta", "function"]


class Csv(Section):
    """The dialect of a delimited text file, pinned so that a file in another dialect is refused, not guessed at."""

    delimiter: str = Field(",", min_length=1, max_length=1, description="Field separator; one character.")
    quote: str | None = Field('"', max_length=1, description="Quote character; null where quotes are plain text.")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of numbers.")
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field("utf-8", description="Text encoding of the file.")
    header: bool = Field(True, description="Whether the first line names the columns.")
    null_values: list[str] = Field(default_factory=lambda: [""], description="Cell texts that mean 'no value'.")
    blank_lines: Literal["refuse", "skip"] = Field("refuse", description="What to do with lines that hold no value.")
    trailing: Literal["refuse", "skip"] = Field(
        "refuse", description="What to do with empty, unnamed columns at the end of lines."
    )
    padding: Literal["keep", "strip"] = Field(
        "keep", description="Blanks around values and names: part of the text, or (as after `, `) to be stripped."
    )


class ObjectStore(Section):
    """How to reach the object store (S3-compatible) of `s3://bucket/…` paths; keys by reference alone."""

    endpoint: str | None = Field(
        None,
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+/?$",
        description="URL of an S3-compatible server, `https://host:port`; without it, Amazon's own.",
    )
    region: str | None = Field(None, description="Region of the bucket.")
    access_key: Secret | None = Field(None, description="Access key id; without it, the environment's own credentials.")
    secret_key: Secret | None = Field(None, description="Secret access key.")
    session_token: Secret | None = Field(None, description="Token of temporary credentials.")

    @model_validator(mode="after")
    def _has_both_keys_or_none(self) -> ObjectStore:
        if (self.access_key is None) != (self.secret_key is None) or (self.session_token and not self.access_key):
            message = "access_key and secret_key go together, and session_token with both"
            raise ValueError(message)
        return self


class Database(Section):
    """Rows of a query; with a watermark, each run appends only what is new."""

    engine: Literal["postgres", "sqlite", "duckdb"] = Field(description="Kind of database.")
    url: Secret | None = Field(None, description="postgres: `env:NAME` or `file:PATH` of the connection URL.")
    path: str | None = Field(None, description="sqlite, duckdb: the database's file, relative to the project's root.")
    query: str = Field(
        min_length=1,
        max_length=20_000,
        description="One SELECT; runs in a read-only session. Parameters are `:name`, and are bound, never pasted in "
        "(postgres: cast a text that is none, `:since::date`).",
    )
    parameters: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Values of the query's `:name` parameters."
    )
    watermark: str | None = Field(
        None,
        description="Column of the query that only grows (an id, a time of insertion): a run reads the rows above the "
        "largest value read so far; rows that came late, at or below it, stop the run with their number. Without it, "
        "the whole result is one batch, and another result takes its place.",
    )

    @model_validator(mode="after")
    def _reaches_its_engine(self) -> Database:
        needed, other = ("url", "path") if self.engine == "postgres" else ("path", "url")
        if getattr(self, needed) is None or getattr(self, other) is not None:
            message = f"engine {self.engine} is reached by '{needed}', not by '{other}'"
            raise ValueError(message)
        return self


class Delta(Section):
    """A Delta table: one version of it, or all that was appended since the version read last."""

    path: str = Field(min_length=1, description="Folder of the table, relative to the project's root, or `s3://…`.")
    version: int | None = Field(
        None,
        ge=0,
        description="Read exactly this version; without it, each run reads the rows appended since the last.",
    )


class Feast(Section):
    """Historical features of a Feast repository, joined point-in-time to the label rows of the files."""

    repository: str = Field(min_length=1, description="Folder with `feature_store.yaml`, relative to the root.")
    time: str = Field(description="Column of the files that says when each row arose: features are those known then.")
    features: list[Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$")]] = Field(
        min_length=1,
        description="`view:feature`, as Feast names them. Columns are called by the feature; all by `view__feature`, "
        "where two views have a feature of one name.",
    )

    @property
    def full_names(self) -> bool:
        """Whether columns need the view's name before the feature's."""
        plain = [name.partition(":")[2] for name in self.features]
        return len(set(plain)) < len(plain)

    @property
    def columns(self) -> list[str]:
        """Column of each feature, in the order of `features`."""
        return [name.replace(":", "__") if self.full_names else name.partition(":")[2] for name in self.features]


class Source(Section):
    """Where rows come from: files (`path`), or one of `database`, `delta`, `function`."""

    path: str | list[str] | None = Field(
        None,
        description="File, folder pattern or list of them (`data/*.parquet`, `s3://bucket/rows/*.csv`), relative "
        "to the project's root; each file is a batch, identified by its content.",
    )
    format: FileFormat | None = Field(None, description="How the files are written.")
    compression: Literal["gzip", "zip"] | None = Field(None, description="csv, jsonl, arff: how each file is packed.")
    csv: Csv | None = Field(None, description="Dialect; only for `format: csv`.")
    sheet: str | None = Field(None, description="excel: name of the sheet; without it, the workbook has one alone.")
    partitions: list[str] = Field(
        default_factory=list, description="Columns whose values are in the names of folders, `year=2026/month=01/`."
    )
    store: ObjectStore | None = Field(None, description="How to reach `s3://` paths.")
    feast: Feast | None = Field(None, description="Features of a Feast repository for the rows of the files.")
    database: Database | None = Field(None, description="Rows of a query.")
    delta: Delta | None = Field(None, description="Rows of a Delta table.")
    function: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="`module:function` below the project's root; returns `(version, rows)`: a text that names the "
        "version of the data, and a Polars, pandas or Arrow table; the rows of each version add to those before.",
    )

    @field_validator("path")
    @classmethod
    def _has_a_path(cls, path: str | list[str] | None) -> str | list[str] | None:
        if path is not None and (not path or (isinstance(path, list) and not all(path))):
            message = "name at least one file or pattern, for example data/*.parquet"
            raise ValueError(message)
        return path

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Source:
        given = [name for name in ("path", "database", "delta", "function") if getattr(self, name) is not None]
        if len(given) != 1:
            what = "none is given" if not given else f"{' and '.join(given)} are given"
            message = f"rows come from one of path, database, delta, function; {what}"
            raise ValueError(message)
        of_files = ("format", "compression", "csv", "sheet", "partitions", "feast")
        if self.path is None:
            stray = [name for name in of_files if getattr(self, name)]
            if stray:
                message = f"'{stray[0]}' goes with 'path', not with '{given[0]}'"
                raise ValueError(message)
        elif self.format is None:
            message = "'format' says how the files of 'path' are written: csv, parquet, arrow, jsonl, arff or excel"
            raise ValueError(message)
        return self._fits_the_format()

    def _fits_the_format(self) -> Source:
        if self.csv is not None and self.format != "csv":
            message = "source.csv goes with `format: csv`"
            raise ValueError(message)
        if self.sheet is not None and self.format != "excel":
            message = "source.sheet goes with `format: excel`"
            raise ValueError(message)
        if self.compression is not None and self.format not in {"csv", "jsonl", "arff"}:
            message = f"source.compression goes with csv, jsonl and arff; {self.format} files pack themselves"
            raise ValueError(message)
        remote = [path for path in [*self.paths, self.delta.path if self.delta else ""] if path.startswith("s3://")]
        if self.store is not None and not remote:
            message = "source.store goes with `s3://` paths"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> Kind:
        """What the rows come from."""
        if self.database is not None:
            return "database"
        if self.delta is not None:
            return "delta"
        return "function" if self.function is not None else "files"

    @property
    def is_replaced(self) -> bool:
        """Whether what is read takes the place of what was read before: the whole result of a query."""
        return self.database is not None and self.database.watermark is None

    @property
    def paths(self) -> list[str]:
        """The patterns, always as a list; none where rows come from elsewhere."""
        return [self.path] if isinstance(self.path, str) else list(self.path or [])

    @property
    def dialect(self) -> Csv:
        """The CSV dialect, or the default one."""
        return self.csv or Csv()
