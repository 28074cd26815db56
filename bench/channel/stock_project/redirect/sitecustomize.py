"""Sends the stock project's replies to the stand-in of Twilio's API.

Stock Rasa has no setting for the address of the API. Python imports this module by itself where this
folder is on PYTHONPATH, so Rasa's own files stay as they are installed. What is changed is the address
and nothing else: the client, its connections and its missing time limit are Rasa's.
"""

from __future__ import annotations

import os
from typing import Any

from twilio.http.http_client import TwilioHttpClient

REAL_API = "https://api.twilio.com"
STAND_IN = os.environ["BENCH_TWILIO_API"]

_request = TwilioHttpClient.request


def _redirected(self: TwilioHttpClient, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
    return _request(self, method, url.replace(REAL_API, STAND_IN), *args, **kwargs)


TwilioHttpClient.request = _redirected
