"""What only people can say about a model, for its card; fields are those of the Model Card Toolkit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from training_assets.spec.section import Section


class EthicalConsideration(Section):
    """A risk to people, and what is done about it."""

    name: str = Field(max_length=500, description="The risk.")
    mitigation: str = Field("", max_length=1000, description="What is done about it.")


class Card(Section):
    """The human part of the model card; what is missing is printed as unknown."""

    overview: str = Field("", max_length=2000, description="What the model is, in plain words.")
    users: list[str] = Field(default_factory=list, description="Who uses its predictions.")
    use_cases: list[str] = Field(default_factory=list, description="What it is for.")
    out_of_scope: list[str] = Field(default_factory=list, description="What it must not be used for.")
    limitations: list[str] = Field(default_factory=list, description="Where it is known to be weak.")
    tradeoffs: list[str] = Field(default_factory=list, description="What was weighed against what.")
    ethical_considerations: list[EthicalConsideration] = Field(default_factory=list, description="Risks to people.")
    license: str = Field("", max_length=200, description="Licence of the model, e.g. an SPDX identifier.")
    references: list[str] = Field(default_factory=list, description="Links and papers.")
    risk: Literal["low", "medium", "high"] = Field(
        "medium", description="What a wrong prediction may do. Only a low risk may go to production without a person."
    )
