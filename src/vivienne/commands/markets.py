"""The command `vivienne markets`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from vivienne.commands.exchange import Place, exchange_option, exchange_url_option, refusals_as_errors
from vivienne.commands.options import json_option
from vivienne.commands.waiting import waiting_for
from vivienne.logs.records import many_lines
from vivienne.market.feeds.exchange.asking import instruments_of
from vivienne.market.feeds.exchange.choosing import listed, nearest
from vivienne.market.feeds.exchange.rest import Rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.market.feeds.exchange.adapter import Instrument

_TITLES = ("ASSET", "SYMBOL", "QUOTE", "STATUS", "TICK SIZE", "CONTRACT")


@click.command()
@exchange_option
@click.option("--search", metavar="TEXT", default="", help="Only markets with TEXT in their name, in any case.")
@click.option("--quote", metavar="USD", default="", help="Only markets that are paid in this currency.")
@exchange_url_option
@json_option
@click.pass_context
def markets(
    context: click.Context, /, exchange: str, search: str, quote: str, exchange_url: str, *, as_json: bool
) -> None:
    """List the markets of an exchange that can be watched.

    `vivienne serve` takes the asset for --assets, the quote for --quote, and the symbol for --symbol. Exit code 0:
    there are some; 1: none fits, or the exchange refuses; 75: it cannot be reached now.
    """
    place = Place.of(exchange, exchange_url)
    with refusals_as_errors():
        instruments = asyncio.run(_asked(place))
    paid_in = quote.strip().upper()
    fitting = [each for each in instruments if not paid_in or each.quote.upper() == paid_in]
    found = listed(fitting, search)
    near = [] if found or not search else nearest(fitting, search) or nearest(instruments, search)
    if as_json:
        document = {"exchange": place.adapter.name, "markets": [_document(each) for each in found], "near": near}
        click.echo(json.dumps(document))
    elif found:
        click.echo("\n".join(_table(found)))
    else:
        click.echo(many_lines(_nothing(place, search, paid_in, near)), err=True)
    if not found:
        context.exit(1)


async def _asked(place: Place) -> list[Instrument]:
    async with Rest(place.adapter, place.url) as rest:
        with waiting_for(f"the list of markets of {place.adapter.title}"):
            return await instruments_of(rest, place.adapter)


def _document(each: Instrument) -> dict[str, Any]:
    """A market, for programs."""
    return {
        "asset": each.base,
        "symbol": each.symbol,
        "quote": each.quote,
        "status": each.state,
        "tick_size": each.tick_size,
        "contract_size": each.contract_size,
        "contract_currency": each.quote if each.is_inverse else each.base,
    }


def _table(found: Sequence[Instrument]) -> Iterator[str]:
    """Lines for people. Without contracts there is no column for them, so that lines fit a terminal of 80."""
    rows = [_TITLES, *map(_row, found)]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(each: Instrument) -> tuple[str, ...]:
    is_contract = each.contract_size != 1.0 or each.is_inverse
    contract = f"{each.contract_size:g} {each.quote if each.is_inverse else each.base}" if is_contract else ""
    return each.base, each.symbol, each.quote, each.state, plain(each.tick_size), contract


def plain(number: float) -> str:
    """A number with all of its digits and without an exponent."""
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _nothing(place: Place, search: str, paid_in: str, near: Sequence[str]) -> str:
    wanted = [f"{search!r} in its name" if search else "", f"{paid_in} as its quote" if paid_in else ""]
    known = f"; near are {', '.join(near)}" if near else ""
    return f"{place.adapter.title} has no market with {' and '.join(filter(None, wanted)) or 'any name'}{known}"
