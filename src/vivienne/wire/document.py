"""Configuration documents: nested dictionaries in which any value may be omitted."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Document = dict[str, Any]
"""Nested JSON objects. A document that is part of a revision is never changed in place."""

EffectiveDocument = Annotated[Document, Field(json_schema_extra={"x-schema": "Configuration"})]
"""A complete configuration, without omitted values."""
