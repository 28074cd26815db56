"""Pictures that customers send: kept in memory, served as Twilio serves media."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

MOST_BYTES = 5 * 1024 * 1024
MOST_KEPT = 30
BEGINNINGS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}
"""What WhatsApp takes as a picture, by its first bytes."""


class NoPicture(ValueError):
    """What was sent is none that WhatsApp takes."""


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture and their media type."""

    content: bytes
    media_type: str


@dataclass
class Pictures:
    """The last `MOST_KEPT` pictures."""

    _kept: OrderedDict[str, Picture] = field(default_factory=OrderedDict)

    def keep(self, content: bytes) -> str:
        """Keep a picture; its id.

        Raises:
            NoPicture
        """
        media_type = next((kind for begin, kind in BEGINNINGS.items() if content.startswith(begin)), None)
        if media_type is None or (media_type == "image/webp" and content[8:12] != b"WEBP"):
            raise NoPicture()
        picture_id = f"ME{secrets.token_hex(16)}"
        self._kept[picture_id] = Picture(content, media_type)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return picture_id

    def find(self, picture_id: str) -> Picture | None:
        """A picture that is still kept."""
        return self._kept.get(picture_id)
