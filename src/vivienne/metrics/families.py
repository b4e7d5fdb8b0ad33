"""Every metric: its name, meaning and labels, in base units, as is usual in Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_FAST = (0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25)
_WAITING = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric.

    Attributes:
        labels: their names; each has few values, fixed by the code or the settings.
        buckets: upper bounds, of a histogram.
        is_kept: counted by `Metrics.count` or a histogram; otherwise read when Prometheus asks.
        only: the processes that have it, if not all.
    """

    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    is_kept: bool = False
    only: str = ""


def _counter(meaning: str, *labels: str, is_kept: bool = True, only: str = "") -> Family:
    return Family("counter", meaning, labels, is_kept=is_kept, only=only)


def _gauge(meaning: str, *labels: str, only: str = "") -> Family:
    return Family("gauge", meaning, labels, only=only)


def _histogram(meaning: str, *labels: str, buckets: tuple[float, ...] = _WAITING, only: str = "") -> Family:
    return Family("histogram", meaning, labels, buckets, is_kept=True, only=only)


_DECIDES = "where assets are decided"
_RECORDS = "where decisions are recorded"

FAMILIES: dict[str, Family] = {
    "vivienne_build_info": _gauge(
        "Always 1; its labels name the version, Python and the role.", "version", "python", "role"
    ),
    "vivienne_asset_status": _gauge(
        "1 for the current status of an asset, 0 for the others.", "asset", "status"
    ),
    "vivienne_feed_age_seconds": _gauge(
        "Age of the market data, as `data_age` counts it; absent before the first data, and after a replay.",
        "asset",
    ),
    "vivienne_feed_age_limit_seconds": _gauge("The age beyond which an asset is `stale`.", "asset"),
    "vivienne_bar_duration_seconds": _gauge(
        "Duration of a bar in real time, which is how often a decision is due; absent for a replay.", only=_DECIDES
    ),
    "vivienne_data_rows_left_out": _gauge(
        "Rows of data files that are not used, by reason: `bad` (wrong, with `--on-bad-row skip`), `unclosed` (a last "
        "candle that may be still open), `partial` (trades of the first and the last minute, which may not be whole), "
        "`repeated`, `replaced` (by a later row for the same minute). Known when a replay begins.",
        "asset", "reason", only=_DECIDES,
    ),
    "vivienne_feed_restarts_total": _counter(
        "Failures of a feed after which it was started again. Each is a defect: see the log.", "asset", only=_DECIDES,
    ),
    "vivienne_history_differences_total": _counter(
        "Bars of a history that was read again that are not as they were decided on; they stay as they were.",
        "asset", only=_DECIDES,
    ),
    "vivienne_exchange_connects_total": _counter(
        "Connections that were opened to the exchange. Only with `--feed exchange`.", is_kept=False, only=_DECIDES
    ),
    "vivienne_exchange_breaks_total": _counter(
        "Open connections to the exchange that broke off or were given up; tries that failed do not count. Only with "
        "`--feed exchange`.",
        is_kept=False, only=_DECIDES
    ),
    "vivienne_exchange_left_out_total": _counter(
        "Messages of the exchange that could not be read. Only with `--feed exchange`.", is_kept=False, only=_DECIDES
    ),
    "vivienne_exchange_minutes_total": _counter(
        "Minutes that did not come whole over the stream: `filled` by asking the exchange, `incomplete` where it did "
        "not have them, `mismatched` where the stream and its own candle differ, `late` where trades came after they "
        "were closed, `unconfirmed` where it has none to compare, `dropped` where nobody took them in time. `failed` "
        "counts defects after which the history of an asset was read again, `overflowed` the times when more trades "
        "waited than are kept. Only with `--feed exchange`.",
        "asset", "kind", is_kept=False, only=_DECIDES,
    ),
    "vivienne_exchange_delay_seconds": _gauge(
        "Delay of the newest message of the exchange over that of the quickest. Absent while none is heard. "
        "Only with `--feed exchange`.",
        "asset", only=_DECIDES,
    ),
    "vivienne_pushed_rows_total": _counter(
        "Rows that were pushed, by result: `accepted`, `doubled` (known already), `late` (differing from minutes that "
        "were closed), `refused` (wrong), `forgotten` (more history than is kept). The asset `unknown` has rows of "
        "assets that are not decided here. Only with `--feed push`.",
        "asset", "result", is_kept=False, only=_DECIDES,
    ),
    "vivienne_decisions_total": _counter("Decisions, by clarity level.", "asset", "level", is_kept=False,
                                         only=_DECIDES),
    "vivienne_decision_failures_total": _counter("Decisions that failed.", "asset", only=_DECIDES),
    "vivienne_last_decision_timestamp_seconds": _gauge(
        "Time of the last decision of an asset, since the epoch.", "asset", only=_DECIDES
    ),
    "vivienne_evaluation_duration_seconds": _histogram(
        "Duration of a decision, with its explanation.", buckets=_FAST, only=_DECIDES
    ),
    "vivienne_changes_total": _counter(
        "Changes requested here, by channel and result: `accepted`, `repeated` (answered as the first time), or the "
        "code of the refusal. A pause that waits for the store counts with each attempt."
        ,
        "channel",
        "result",
    ),
    "vivienne_change_propagation_seconds": _histogram(
        "Time from the request of a change here until it was in force (`in_force`), and until a state decided with it "
        "went out to the clients of this process (`published`, once for each asset).",
        "stage",
    ),
    "vivienne_config_version": _gauge("The newest version in force here."),
    "vivienne_stream_clients": _gauge("Clients of a stream: `state`, `logs`, `alerts`; `redis` is Redis.", "stream"),
    "vivienne_stream_sent_total": _counter("Messages handed to connections.", "stream", is_kept=False),
    "vivienne_stream_conflated_total": _counter(
        "States that a newer one of the same asset replaced before they could be sent.", "stream", is_kept=False
    ),
    "vivienne_stream_dropped_total": _counter(
        "Messages that were not sent: a client of the log or of alerts was too slow, or had left.", "stream",
        is_kept=False,
    ),
    "vivienne_log_records_dropped_total": _counter(
        "Log records that were not written to standard error, because its reader was too slow or the disk was full.",
        is_kept=False,
    ),
    "vivienne_defects_total": _counter(
        "Defects of Vivienne that a request or a message met, by where: `rest`, `websocket`, `redis` (control "
        "messages), `market` (the market stream), `question` (of a gateway). The log has each twice a minute. Absent "
        "before the first.",
        "where",
        is_kept=False,
    ),
    "vivienne_websockets_closed_total": _counter(
        "WebSockets closed because of what was sent on them: too many control frames and parts of messages (`frames`), "
        "too many bytes of unfinished messages (`held`), a message that did not end in time (`unfinished`).",
        "reason",
    ),
    "vivienne_handshakes_refused_total": _counter("WebSocket handshakes that were refused, by the status.", "status"),
    "vivienne_event_loop_lag_seconds": _histogram("Lag of the event loop, measured four times a second."),
    "vivienne_ready": _gauge(
        "1 for the current status of `/ready` (`ready`, `degraded`, `unavailable`), 0 for the others.", "status"
    ),
    "vivienne_store_up": _gauge("1 if the store answers and stored the last change, as in `/ready`."),
    "vivienne_store_call_duration_seconds": _histogram(
        "Duration of a call of the store, with the wait for its turn.", "operation"
    ),
    "vivienne_store_failures_total": _counter("Calls of the store that failed.", "operation"),
    "vivienne_record_decisions_total": _counter(
        "Decisions that were written into the record.", is_kept=False, only=_RECORDS
    ),
    "vivienne_record_decisions_lost_total": _counter(
        "Decisions that are missing in the record, where a gap says so: it could not be written for too long, or its "
        "database lost them.",
        is_kept=False,
        only=_RECORDS,
    ),
    "vivienne_record_waiting": _gauge("Decisions that wait to be written into the record.", only=_RECORDS),
    "vivienne_record_failures_total": _counter(
        "Times that the record could not be opened or written.", is_kept=False, only=_RECORDS
    ),
    "vivienne_record_write_duration_seconds": _histogram(
        "Duration of writing decisions into the record, those of some bars together.", only=_RECORDS
    ),
    "vivienne_record_verified_decisions": _gauge(
        "Recorded decisions that the newest verification decided anew. The record is verified once a day.",
        only=_RECORDS,
    ),
    "vivienne_record_different_decisions": _gauge(
        "Those among them with another value than was recorded, whether this version of the program recorded them "
        "(`this_version`, which should be 0) or others (`other_versions`: one that decides otherwise in the last bit).",
        "recorded_by",
        only=_RECORDS,
    ),
    "vivienne_record_missing_decisions": _gauge(
        "Recorded decisions that it could not decide anew, because they, bars or a configuration are not recorded.",
        only=_RECORDS,
    ),
    "vivienne_record_damaged_rows": _gauge(
        "Bars, decisions and other rows of the record that were altered or removed since they were recorded; should "
        "be 0.",
        only=_RECORDS,
    ),
    "vivienne_record_verified_timestamp_seconds": _gauge(
        "When the newest verification ended, in seconds since 1970; 0 before the first one.", only=_RECORDS
    ),
    "vivienne_connections_ended_total": _counter(
        "Connections that the server ended or refused, by reason: `limit` (too many), `no_request` (nothing, or half a "
        "request, came in time), `unread` (the answer was not read), `malformed` (not valid HTTP, or too large).",
        "reason",
    ),
    "vivienne_alerts_fired_total": _counter(
        "Alerts that were decided, by the kind of their event.", "type", only=_DECIDES
    ),
    "vivienne_alerts_held_back_total": _counter(
        "Events that caused no alert: `cooldown` (too soon after the last one), `late` (nobody should act on it any "
        "more), `overrun` (too much happened at once).",
        "reason", is_kept=False, only=_DECIDES,
    ),
    "vivienne_alerts_unstored": _gauge(
        "Alerts that are sent and wait for a store that does not take them.", only=_DECIDES
    ),
    "vivienne_alerts_never_stored_total": _counter(
        "Alerts that were sent and are not in the store, because too many waited for it.", is_kept=False, only=_DECIDES
    ),
    "vivienne_alert_deliveries_total": _counter(
        "Messages of alerts, by type of channel and what became of them: `delivered`, `retrying` (an attempt failed, "
        "another one follows), `dead` (given up after a day), `dropped` (too many waited, or the rule is off or gone).",
        "channel_type", "status", only=_DECIDES,
    ),
    "vivienne_alert_delivery_duration_seconds": _histogram(
        "Time from the decision to the delivery of an alert, with retries.", "channel_type", only=_DECIDES
    ),
    "vivienne_alert_deliveries_waiting": _gauge(
        "Alert messages that are not delivered yet, including those that failed and will be retried.",
        "channel_type", only=_DECIDES,
    ),
    "vivienne_redis_up": _gauge("1 if the link to Redis works.", only="with `--redis`"),
    "vivienne_redis_entries_lost_total": _counter(
        "Entries of a stream that were gone before they could be read, by stream.",
        "stream",
        is_kept=False,
        only="with `--redis`",
    ),
    "vivienne_control_dropped_total": _counter(
        "Of the control channel: messages that waited here while another process acquired the lease (`message`), and "
        "results that too many others waited before (`result`).",
        "kind",
        is_kept=False,
        only="with `--redis`",
    ),
    "vivienne_agents": _gauge("Agents that have responded in the last 3 s.", only="gateways"),
    "vivienne_assets_without_agent": _gauge("Assets whose agent has not responded in the last 3 s.", only="gateways"),
    "vivienne_agents_of_other_databases": _gauge(
        "Agents whose newest revision is not the one that this process has.", only="gateways"
    ),
    "vivienne_pauses_unconfirmed": _gauge("Paused assets whose agent has not confirmed it.", only="gateways"),
}  # fmt: skip
