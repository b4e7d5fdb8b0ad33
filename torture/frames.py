"""WebSockets on which frames or bad messages come without end: a pause gets through, and nothing grows."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from running import RunningServer
from torture.floods import Flood, beside
from torture.progress import Progress

if TYPE_CHECKING:
    from measuring import Figure

_FLAGS = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m")
_OPEN = (
    "GET /ws/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_CONT, _TEXT, _PING, _PONG, _LAST = 0x0, 0x1, 0x9, 0xA, 0x80
_WRITTEN_AT_ONCE = 128 * 1024


def _frame(first: int, payload: bytes = b"") -> bytes:
    """A frame of a client, under a mask of zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([first, 0x80 | length])
    elif length <= 0xFFFF:
        head = struct.pack("!BBH", first, 0xFE, length)
    else:
        head = struct.pack("!BBQ", first, 0xFF, length)
    return head + bytes(4) + payload


def _floods() -> dict[str, tuple[bytes, bytes]]:
    """By its name, how each WebSocket begins, and what comes again and again after it."""
    names = {f"bang_threshold{number}": number for number in range(400)}
    unknown = {"type": "config_update", "config": names, "validate_only": True}
    good = {"type": "config_update", "config": {"bang_threshold": 86}, "validate_only": True}
    return {
        "pongs": (b"", _frame(_LAST | _PONG)),
        "pings": (b"", _frame(_LAST | _PING, b"x")),
        "empty continuation frames": (_frame(_TEXT, b"{"), _frame(_CONT)),
        "fragments of two bytes": (_frame(_TEXT, b"{"), _frame(_CONT, b"  ")),
        "malformed messages": (b"", _frame(_LAST | _TEXT, b"{")),
        "malformed messages of 250 kB": (b"", _frame(_LAST | _TEXT, b'{"a":[' + b"[]," * 83_000 + b"[]]}")),
        "validations": (b"", _frame(_LAST | _TEXT, orjson.dumps(good))),
        "validations of 400 unknown names": (b"", _frame(_LAST | _TEXT, orjson.dumps(unknown))),
    }


KINDS = tuple(_floods())


def measure(*, sockets: int = 8, seconds: float = 20.0, kinds: str = ",".join(KINDS)) -> list[Figure]:
    """Pause again and again, alone and beside each kind of flood.

    Args:
        sockets: at once; each that is closed is opened again.
        seconds: of each.
        kinds: of `KINDS`, with commas between.
    """
    figures: list[Figure] = []
    progress = Progress("floods of frames", len(kinds.split(",")))
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        RunningServer(*_FLAGS, db=Path(folder) / "frames.db") as server,
    ):
        for kind in kinds.split(","):
            begin, then = _floods()[kind]
            repeated = then * max(1, _WRITTEN_AT_ONCE // len(then))
            flood = Flood((_OPEN,), repeated.decode("latin-1"), answered=begin.decode("latin-1"))
            figures += beside(server, kind, flood, sockets, seconds)
            progress.add()
    progress.end()
    return figures
