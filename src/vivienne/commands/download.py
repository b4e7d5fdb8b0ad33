"""The command `vivienne download`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vivienne.commands.exchange import (
    Place,
    asset_option,
    exchange_option,
    exchange_url_option,
    meant,
    quote_option,
    refusals_as_errors,
    symbol_option,
)
from vivienne.commands.options import json_option
from vivienne.commands.times import moment
from vivienne.commands.waiting import waiting_for
from vivienne.logs.records import many_lines
from vivienne.market.download import running
from vivienne.market.download.finishing import check_target
from vivienne.market.download.partial import Partial
from vivienne.market.feeds.exchange.rest import Rest
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.download.order import Order

_MOST_HOLES = 5
"""Ranges that are printed; a JSON document has all of them."""


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@exchange_option
@asset_option
@symbol_option
@quote_option
@click.option(
    "--interval",
    type=click.Choice([each.value for each in Timeframe]),
    default=Timeframe.M1.value,
    show_default=True,
    help="Length of the candles.",
)
@click.option("--from", "begin", metavar="TIME", required=True, help="First candle, such as 2026-01-01; UTC.")
@click.option("--to", "end", metavar="TIME", help="End of the last candle, as --from.  [default: now]")
@exchange_url_option
@json_option
def download(file: Path, exchange: str, exchange_url: str, *, as_json: bool, **given: str | None) -> None:
    """Download the history of a market of an exchange into FILE, for a replay.

    FILE ends with .csv, .csv.gz or .parquet, and must not be there yet. After an interruption, the same command goes
    on where it ended: what has come is in FILE.part. Exit code 0: FILE is there; 1: the exchange refuses; 2: an option
    is wrong; 75: the exchange cannot be reached now.
    """
    place = Place.of(exchange, exchange_url)
    wish = _wish(place, given)
    check_target(file)
    try:
        with refusals_as_errors():
            done = asyncio.run(_run(place, wish, file))
    except KeyboardInterrupt:
        click.echo("Stopped. The same command goes on with what has come", err=True)
        raise SystemExit(1) from None
    for line in _remarks(done):
        click.echo(many_lines(line), err=True)
    click.echo(json.dumps(_document(done, file)) if as_json else many_lines(_summary(done, file)))


def _wish(place: Place, given: dict[str, Any]) -> running.Wish:
    asset, symbol = meant(given["asset"], given["symbol"])
    return running.Wish(
        asset=asset,
        symbol=symbol,
        quote=given["quote"].strip().upper() or place.adapter.quote,
        interval=Timeframe(given["interval"]),
        begin=moment("--from", given["begin"]),
        end=None if given["end"] is None else moment("--to", given["end"]),
    )


async def _run(place: Place, wish: running.Wish, file: Path) -> running.Downloaded:
    async with Rest(place.adapter, place.url) as rest:
        with waiting_for(f"the list of markets of {place.adapter.title}"):
            order = await running.planned(rest, place.adapter, wish)
        with Partial(file, order) as partial:
            for line in _announced(order, partial):
                click.echo(many_lines(line), err=True)
            is_hidden = not sys.stderr.isatty()
            length = (order.end - partial.begin) // MINUTE_MS
            with click.progressbar(length=length, label=file.name, file=sys.stderr, hidden=is_hidden) as bar:
                reached = partial.begin

                def came(until: int) -> None:
                    nonlocal reached
                    bar.update((until - reached) // MINUTE_MS)
                    reached = until

                return await running.download(rest, order, partial, file, came)


def _announced(order: Order, partial: Partial) -> Iterator[str]:
    """What is going to happen."""
    count = (order.end - order.begin) // order.interval.milliseconds
    yield (
        f"{order.adapter.title} {order.instrument.symbol}, {order.interval.value}: {count:,} candles from "
        f"{iso(order.begin)} to {iso(order.end)}"
    )
    if partial.count:
        yield f"{partial.path} has {partial.count:,} of them already, up to {iso(partial.begin)}"
    if partial.taken_away:
        yield f"{partial.taken_away:,} bytes at its end were not whole rows and are asked for again"
    if order.from_trades:
        yield (
            f"{order.adapter.title} has only its newest {order.adapter.history_depth} candles. These are made from its "
            f"trades, {order.adapter.trades_rows:,} at a time and {order.adapter.limits.weight_per_minute} requests a "
            "minute: a day of a busy market may take minutes"
        )


def _remarks(done: running.Downloaded) -> Iterator[str]:
    """What a user should know of the file."""
    title = done.order.adapter.title
    if done.holes:
        minutes = sum(hole.end - hole.begin for hole in done.holes) // MINUTE_MS
        yield (
            f"{title} has no candles for {minutes:,} minute{'s' * (minutes != 1)} of that time: nobody traded, or it "
            "was out of service"
        )
        yield from (f"  {iso(hole.begin)} to {iso(hole.end)}" for hole in done.holes[:_MOST_HOLES])
        if len(done.holes) > _MOST_HOLES:
            yield f"  and {len(done.holes) - _MOST_HOLES:,} more; --json prints them"
    estimates = done.order.adapter.history_estimates
    if estimates and not done.order.from_trades:
        yield f"{title} does not tell {' and '.join(estimates)}: it is estimated from the prices"
    if done.unknown:
        yield f"{title} does not tell {' and '.join(done.unknown)}: the cells are empty, and count as unknown"


def _summary(done: running.Downloaded, file: Path) -> str:
    order = done.order
    return (
        f"{file}: {order.adapter.title} {order.instrument.symbol}, {order.interval.value}, {done.rows:,} candles, "
        f"{iso(done.first)} to {iso(done.last)}"
    )


def _document(done: running.Downloaded, file: Path) -> dict[str, Any]:
    """The same for programs."""
    return {
        "file": str(file),
        "exchange": done.order.adapter.name,
        "symbol": done.order.instrument.symbol,
        "interval": done.order.interval.value,
        "from": iso(done.order.begin),
        "to": iso(done.order.end),
        "rows": done.rows,
        "continued_rows": done.continued,
        "first": iso(done.first),
        "last": iso(done.last),
        "from_trades": done.order.from_trades,
        "unknown": done.unknown,
        "estimated": [] if done.order.from_trades else list(done.order.adapter.history_estimates),
        "missing": [
            {"from": iso(hole.begin), "to": iso(hole.end), "minutes": (hole.end - hole.begin) // MINUTE_MS}
            for hole in done.holes
        ],
    }
