"""Numbers decisions as they are recorded, so that a verification finds those that were removed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from vivienne.record.seals import decision_seal
from vivienne.record.tables import bars, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

_ADD = (
    update(series)
    .where(series.c.id == bindparam("of"))
    .values(numbered=series.c.numbered + bindparam("count"))
    .execution_options(synchronize_session=False)
)


def number(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give decisions the next numbers of their series, and seal them.

    Until the end of the transaction no other process numbers decisions of the same series.

    Args:
        connection: in a transaction.
        rows: of the table `bars`.
    """
    counts = Counter(row["series_id"] for row in rows)
    # In the same order in all processes, so that none waits for another one that waits for it.
    connection.execute(_ADD, [{"of": each, "count": count} for each, count in sorted(counts.items())])
    query = select(series.c.id, series.c.numbered).where(series.c.id.in_(sorted(counts)))
    following = {row.id: row.numbered - counts[row.id] + 1 for row in connection.execute(query)}
    for row in rows:
        row["number"] = following.setdefault(row["series_id"], 1)
        row["decision_seal"] = decision_seal(row)
        following[row["series_id"]] += 1


def take_back(connection: Connection, row: dict[str, Any]) -> None:
    """Take back the number of a decision that is not recorded, in the transaction in which it was given."""
    connection.execute(_ADD, [{"of": row["series_id"], "count": -1}])


def note_taken_out(connection: Connection, series_id: int, chosen: Sequence[Any]) -> None:
    """Note the numbers of decisions that are about to go because they are too old.

    Args:
        connection: in a transaction.
        series_id: of the series.
        chosen: conditions for their rows in the table `bars`.
    """
    numbered = select(series.c.numbered).where(series.c.id == series_id).scalar_subquery()
    query = select(func.max(bars.c.number)).where(*chosen, bars.c.number <= numbered)
    last = connection.execute(query).scalar_one()
    if last is not None:
        is_later = series.c.id == series_id, series.c.kept_from <= last
        connection.execute(update(series).where(*is_later).values(kept_from=last + 1))


def note_all_taken_out(connection: Connection, series_id: int) -> None:
    """Note that all decisions of a series are gone because its run is too old."""
    connection.execute(update(series).where(series.c.id == series_id).values(kept_from=series.c.numbered + 1))
