"""The stand-in of Twilio's API, served on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import uvicorn
from starlette.applications import Starlette

from deploy.local.servers import free_port
from settings import WhatsAppSettings
from web.local_whatsapp.phones import PhoneMessage
from web.local_whatsapp.twilio_api import TwilioStandIn


class TwilioServer:
    """Serves the stand-in in a thread, until the process ends."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        account = WhatsAppSettings(
            account_sid=environment["TWILIO_ACCOUNT_SID"],
            auth_tokens=(environment["TWILIO_AUTH_TOKEN"],),
            number=environment["TWILIO_WHATSAPP_NUMBER"].removeprefix("whatsapp:"),
            api_base_url=None,
            webhook_verify_token="",
            dev_mode=False,
        )
        self._stand_in = TwilioStandIn(account)
        (self.port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{self.port}"
        app = Starlette(routes=self._stand_in.routes())
        self._server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", self.port, log_level="warning"))
        threading.Thread(target=self._server.run, daemon=True).start()

    def sent_to(self, number: str) -> list[PhoneMessage]:
        """What was sent to a number."""
        return [message for message in self._stand_in.phones.of(number) if message.direction == "out"]

    def last(self, number: str) -> str:
        """The last text that was sent to a number."""
        return self.sent_to(number)[-1].body

    def wait_for(self, number: str, count: int, seconds: float = 30.0) -> int:
        """Wait until so many messages were sent; how many were."""
        deadline = time.monotonic() + seconds
        while len(self.sent_to(number)) < count:
            assert time.monotonic() < deadline, f"nothing was sent for {seconds} s"
            time.sleep(0.02)
        return len(self.sent_to(number))

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
