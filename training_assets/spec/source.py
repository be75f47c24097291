"""Where the rows of a model come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from training_assets.spec.section import Section


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


class Source(Section):
    """Files of rows; each file is a batch, identified by its content."""

    path: str | list[str] = Field(
        description="File, folder pattern or list of them (`data/*.parquet`), relative to the project's root."
    )
    format: Literal["csv", "parquet"] = Field(description="How the files are written.")
    csv: Csv | None = Field(None, description="Dialect; only for `format: csv`.")

    @field_validator("path")
    @classmethod
    def _has_a_path(cls, path: str | list[str]) -> str | list[str]:
        if not path or (isinstance(path, list) and not all(path)):
            message = "name at least one file or pattern, for example data/*.parquet"
            raise ValueError(message)
        return path

    @property
    def paths(self) -> list[str]:
        """The patterns, always as a list."""
        return [self.path] if isinstance(self.path, str) else list(self.path)

    @property
    def dialect(self) -> Csv:
        """The CSV dialect, or the default one."""
        return self.csv or Csv()
