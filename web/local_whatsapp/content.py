"""What a customer can send: words, a pressed button, a picked row, a place, a picture; as Twilio's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_CHARACTERS = 4096


class NothingToSend(ValueError):
    """The message is empty, too long, or not one that a phone can send; `str` says it to people."""


@dataclass(frozen=True)
class Content:
    """A message as the phone shows it, and the fields that Twilio posts for it."""

    shown: str
    fields: dict[str, str]
    layout: str = ""
    picture: str | None = None
    """The id of a picture that was uploaded before."""


def read_content(values: Mapping[str, Any], media_url: str) -> Content:
    """What the page wants to send.

    Args:
        media_url: where pictures are found, without their id.

    Raises:
        NothingToSend
    """
    if values.get("picture"):
        return _picture(str(values["picture"]), str(values.get("text") or "").strip(), media_url)
    if values.get("location"):
        return _location(values["location"])
    text = _words(values)
    if values.get("token"):
        token = str(values["token"])
        if values.get("layout") == "list":
            return Content(
                text, {"Body": text, "ListTitle": text, "ListId": token, "MessageType": "interactive"}
            )
        pressed = {"Body": text, "ButtonText": text, "ButtonPayload": token, "MessageType": "button"}
        return Content(text, pressed)
    return Content(text, {"Body": text, "MessageType": "text"})


def _words(values: Mapping[str, Any]) -> str:
    text = str(values.get("text") or "").strip()
    if not text or len(text) > MOST_CHARACTERS:
        raise NothingToSend(f"Write something, {MOST_CHARACTERS} characters at most.")
    return text


def _picture(picture_id: str, caption: str, media_url: str) -> Content:
    fields = {
        "Body": caption[:MOST_CHARACTERS],
        "NumMedia": "1",
        "MediaUrl0": f"{media_url}/{picture_id}",
        "MediaContentType0": "image/jpeg",
        "MessageType": "image",
    }
    return Content(caption, fields, picture=picture_id)


def _location(place: Any) -> Content:
    try:
        latitude, longitude = float(place["latitude"]), float(place["longitude"])
    except (KeyError, TypeError, ValueError):
        raise NothingToSend("Give the place as two numbers, such as 6.5244 and 3.3792.") from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise NothingToSend("That place is not on Earth.")
    address, label = str(place.get("address") or "")[:200], str(place.get("label") or "")[:200]
    fields = {"Body": "", "Latitude": str(latitude), "Longitude": str(longitude), "MessageType": "location"}
    fields |= {name: value for name, value in (("Address", address), ("Label", label)) if value}
    shown = "\n".join(filter(None, [f"📍 {latitude}, {longitude}", label, address]))
    return Content(shown, fields, "location")
