"""The web process. Run with `python -m web`."""

import logging

import uvicorn

from settings import read_settings_or_exit
from web.app import make_app


def main() -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # httpx logs every request at INFO; the webhook's answers say nothing new.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = read_settings_or_exit()
    uvicorn.run(
        make_app(settings),
        host=settings.bind_host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
