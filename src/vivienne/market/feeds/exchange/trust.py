"""Which certificates of exchanges are accepted: the same for REST and for the stream."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    import ssl


def trusted() -> ssl.SSLContext:
    """The certificates that the system trusts, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name."""
    return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Read them once; it takes a while."""
    del file, folder  # the environment is read again
    return httpx2.create_ssl_context()
