"""Addresses of Redis: checked before anything connects."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from vivienne.errors import SettingsError

_REDIS = ("redis", "rediss", "unix")
_ALLOWED = re.compile(r"db|ssl_(cert_reqs|ca_certs|ca_path|certfile|keyfile|check_hostname)")
"""Parameters of the query; all others would alter how the connection works."""


def redis_address(flag: str, text: str) -> str:
    """Check the address of a Redis.

    Args:
        flag: of the setting, for the error.
        text: the address.

    Raises:
        SettingsError: it is not valid. The text does not repeat the address, which may have a password in it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise SettingsError(
            f"{flag}: the port must be a number from 1 to 65,535; in a password, write / : @ # ? % as "
            "%2F %3A %40 %23 %3F %25"
        ) from None
    if parts.scheme not in _REDIS:
        raise SettingsError(
            f"{flag} must begin with redis://, rediss:// (TLS) or unix://, as in redis://localhost:6379/0"
        )
    if parts.scheme == "unix":
        if len(parts.path) <= 1:
            raise SettingsError(f"{flag}: the path of the socket is missing, as in unix:///run/redis/redis.sock")
    elif not parts.hostname or port == 0:
        raise SettingsError(f"{flag}: the host is missing, or the port is 0; give both, as in redis://localhost:6379/0")
    elif not re.fullmatch(r"/?|/[0-9]{1,5}", parts.path):
        raise SettingsError(f"{flag}: the path after the host must be empty or the number of a database, as in /0")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if not _ALLOWED.fullmatch(name):
            raise SettingsError(f"{flag}: the query has an unknown parameter; only db and ssl_... are allowed")
    if parts.fragment:
        raise SettingsError(f"{flag}: the address has a # in it; in a password, write it as %23")
    return text
