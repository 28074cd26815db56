"""The web process. Run with `python -m web`."""

import uvicorn

from settings import read_settings_or_exit
from settings.logs import configure_logs
from web.app import make_app

PROXIES = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
"""From whom it is believed for which address they ask: the reverse proxy is on this machine or in a private
network. Attempts to sign in are counted by it."""


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
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
        forwarded_allow_ips=PROXIES,
    )


if __name__ == "__main__":
    main()
