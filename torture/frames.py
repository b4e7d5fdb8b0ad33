"""WebSockets on which frames or bad messages come without end: a pause gets through, and nothing grows."""

from __future__ import annotations

import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from running import RunningServer
from torture.floods import Flood, beside
from torture.progress import Progress

if TYPE_CHECKING:
    from measuring import Figure

_FLAGS = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m")
_FLAGS_OF_MANY = ("--assets", ",".join(f"A{number}" for number in range(100)), "--timeframe", "1m")
_OPEN = (
    "GET /ws/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_OPEN_COMPRESSED = _OPEN.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
_COMPRESSED = 0x40
_CONT, _TEXT, _PING, _PONG, _LAST = 0x0, 0x1, 0x9, 0xA, 0x80
_WRITTEN_AT_ONCE = 128 * 1024
_ONCE = 3_600.0


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


_MANY_ASSETS = "states of 100 assets to each of many"
_MANY = 200
"""Times as many WebSockets as of the other kinds: with 8, most of those that a caller may have."""


def _many() -> dict[str, Flood]:
    """Floods that need many WebSockets, because each of them does what it may."""
    tried = {"type": "config_update", "config": {"bang_threshold": 86}, "validate_only": True}
    asked = _frame(_LAST | _TEXT, orjson.dumps(tried)) * 64
    few = _frame(_LAST | _PING) * 15
    longest = _frame(_LAST | _TEXT, b"x" * 4_100_000 + "\U0001f600".encode())
    wrong = _frame(_LAST | _TEXT, b'{"a":"' + b"x" * 250_000 + "\U0001f600".encode())
    return {
        "a few pings on each of many": _on_each(few, share=_MANY, every=0.15),
        _MANY_ASSETS: _on_each(b"", share=_MANY, every=_ONCE),
        "replies that are not read": Flood((_OPEN,), reads=False, share=_MANY / 2, answered=asked.decode("latin-1")),
        "a message of 4 MB on each of many": _on_each(longest, share=_MANY / 20, every=_ONCE),
        "a malformed message of 250 kB on each of many": _on_each(wrong, share=_MANY / 4, every=_ONCE),
        # Each ends its WebSocket, and another one is opened.
        "a compressed message of 50 MB on each": _on_each(
            _bomb(50_000_000), share=1, every=_ONCE, opened=_OPEN_COMPRESSED
        ),
    }


def _bomb(length: int) -> bytes:
    """A message that inflates to so many bytes."""
    packing = zlib.compressobj(9, wbits=-15)
    packed = packing.compress(bytes(length)) + packing.flush(zlib.Z_SYNC_FLUSH)
    return _frame(_LAST | _COMPRESSED | _TEXT, packed[:-4])


def _on_each(then: bytes, *, share: float, every: float, opened: str = _OPEN) -> Flood:
    return Flood((opened,), then.decode("latin-1"), share=share, answered="", every=every)


KINDS = (*_floods(), *_many())


def _flood(kind: str) -> Flood:
    if kind not in _floods():
        return _many()[kind]
    begin, then = _floods()[kind]
    repeated = then * max(1, _WRITTEN_AT_ONCE // len(then))
    return Flood((_OPEN,), repeated.decode("latin-1"), answered=begin.decode("latin-1"))


def measure(*, sockets: int = 8, seconds: float = 20.0, kinds: str = ",".join(KINDS)) -> list[Figure]:
    """Pause again and again, alone and beside each kind of flood.

    Args:
        sockets: at once, and of some kinds many times as many; each that is closed is opened again.
        seconds: of each.
        kinds: of `KINDS`, with commas between.
    """
    figures: list[Figure] = []
    named = kinds.split(",")
    progress = Progress("floods of frames", len(named))
    few = [kind for kind in named if kind != _MANY_ASSETS]
    many = [kind for kind in named if kind == _MANY_ASSETS]
    # Of many assets one is paused: to decide all of them again after a resumption takes its time.
    for flags, theirs, pause in ((_FLAGS, few, "{}"), (_FLAGS_OF_MANY, many, '{"asset_symbol":"A0"}')):
        if not theirs:
            continue
        with (
            tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
            RunningServer(*flags, db=Path(folder) / "frames.db") as server,
        ):
            for kind in theirs:
                figures += beside(server, kind, _flood(kind), sockets, seconds, pause)
                progress.add()
    progress.end()
    return figures
