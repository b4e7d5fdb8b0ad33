"""`vivienne` for an exchange whose clock runs fast: it differs from the program in the pace that it expects.

    python benchmarks/paced.py 20 serve --feed exchange ...

Without this, times that run ahead of the exchange's clock are left out, as they must be.
"""

from __future__ import annotations

import functools
import sys

from vivienne.commands.main import main
from vivienne.market.feeds.exchange import feed
from vivienne.market.feeds.exchange.patience import Patience

if __name__ == "__main__":
    pace = float(sys.argv.pop(1))
    feed.ExchangeFeed = functools.partial(feed.ExchangeFeed, patience=Patience(pace=pace))  # type: ignore[assignment,misc]  # its pace
    main()
