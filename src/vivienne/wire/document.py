"""Configuration documents: nested dictionaries in which anything may be left out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Document = dict[str, Any]
"""JSON objects down to values; never changed in place once it is part of a revision."""

EffectiveDocument = Annotated[Document, Field(json_schema_extra={"x-schema": "Configuration"})]
"""A configuration in which nothing is left out."""
