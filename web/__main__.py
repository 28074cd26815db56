"""The web process. Run with `python -m web`."""

import uvicorn

from settings import read_settings_or_exit
from settings.logs import configure_logs
from web.app import make_app


def main() -> None:
    """Serve until told to stop."""
    settings = read_settings_or_exit()
    configure_logs(settings.log_format)
    uvicorn.run(
        make_app(settings),
        host=settings.bind_host,
        port=settings.port,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
