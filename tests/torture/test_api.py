"""The API does what its document says. The long form is `make torture ARGS=api`."""

from __future__ import annotations

from torture import api
from torture.short import missed


def test_every_endpoint_answers_as_the_document_says() -> None:
    assert [] == missed(api.measure(examples=1, seed=1, phases="examples,fuzzing,stateful"))
