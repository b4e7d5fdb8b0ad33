"""Templates of texts and bodies: what they make, and that their output is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.alerts.body import BodyTemplate
from vivienne.alerts.fields import FIELDS
from vivienne.alerts.template import LONGEST_TEMPLATE, LONGEST_TEXT, Template, TemplateError

VALUES = {
    "asset": "BTC", "side": "long", "price": 65_012.5, "position_size": 10.0, "signal_confidence": 0.8236,
    "exchange": None, "changed": ["a", "b"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{asset}} {{ price }}", "BTC 65012.5"),
        ("{{side|long=buy,short=sell,*=close}}", "buy"),
        ("{{exchange|*=none}}{{exchange}}", "none"),
        ("{{signal_confidence|percent}} {{price|round:0}}", "82 % 65012"),
        ("{{side|upper}} {{changed}}", "LONG a, b"),
        ("{{position_size}} {not a field}", "10 {not a field}"),
        ("", ""),
    ],
)
def test_a_template_becomes_a_text(template: str, text: str) -> None:
    assert Template(template, FIELDS).render(VALUES) == text


def test_small_prices_have_no_exponent() -> None:
    assert Template("{{price}}", FIELDS).render({"price": 1.234e-06}) == "0.000001234"


@given(st.text(max_size=LONGEST_TEMPLATE), st.dictionaries(st.sampled_from([*FIELDS]), st.text() | st.floats()))
def test_no_template_fails_or_has_a_long_output(text: str, values: dict[str, object]) -> None:
    try:
        template = Template(text, FIELDS)
    except TemplateError:
        return
    assert len(template.render(values)) <= LONGEST_TEXT


def test_a_body_keeps_numbers_and_is_valid_whatever_the_values_are() -> None:
    body = BodyTemplate({
        "action": "{{side|long=buy,short=sell}}", "amount": "{{position_size}}", "note": 'at {{price}} "now"',
        "symbol": "{{ticker}}", "list": [1, True, None],
    })  # fmt: skip
    assert body.render({**VALUES, "ticker": 'B"T\nC'}) == {
        "action": "buy", "amount": 10.0, "note": 'at 65012.5 "now"', "symbol": 'B"T\nC', "list": [1, True, None],
    }  # fmt: skip


def test_a_body_that_is_a_text_stays_one() -> None:
    body = BodyTemplate("{{asset}} {{side}}")
    assert body.is_text
    assert body.render(VALUES) == "BTC long"
