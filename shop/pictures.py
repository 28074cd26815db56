"""Pictures of products: taken in whatever people upload, kept as a JPEG that WhatsApp shows."""

from __future__ import annotations

import hashlib
import io
import re
import threading

from PIL import Image, ImageOps

from shop.errors import BadInput
from shop.work import Work

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""What the best telephones take; a small file that unfolds to more is no picture of a meal."""
EDGE = 1200
QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")


class Darkroom:
    """Makes pictures ready to be kept, one at a time: a large one takes 160 MB for a moment."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.BoundedSemaphore(1)

    def prepare(self, content: bytes) -> bytes:
        """A picture as it is kept: decoded and encoded anew, upright, 1200 pixels at most, nothing else in it
        (where it was taken, for one). Takes a second or so: call it in a thread.

        Raises:
            BadInput: it is too large, or none.
        """
        if len(content) > MOST_BYTES:
            raise BadInput("picture", "A picture has 5 MB at most.")
        with self._one_at_a_time:
            try:
                return _encoded(content)
            except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError):
                raise BadInput("picture", "That is no picture: use a JPEG, PNG or WebP file.") from None


def keep(work: Work, sku: str, content: bytes) -> str:
    """Keep a prepared picture; its name, which no other picture ever gets."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    name = f"{re.sub(r'[^a-z0-9]+', '-', sku.lower()).strip('-')[:60] or 'picture'}-{digest}.jpg"
    if work.pictures.find_by_name(name) is None:
        work.pictures.create(name=name, content=content)
    return name


def find(work: Work, name: str) -> bytes | None:
    """A picture that was uploaded; None where there is none of that name."""
    picture = work.pictures.find_by_name(name)
    return picture.content if picture else None


def _encoded(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise BadInput("picture", "That picture is too large: 40 megapixels are the most.")
        opened.draft("RGB", (EDGE, EDGE))  # of a JPEG no more is decoded than is needed
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((EDGE, EDGE))
        shown = Image.new("RGB", upright.size, "white")
        has_holes = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
        layer = upright.convert("RGBA") if has_holes else upright.convert("RGB")
        shown.paste(layer, mask=layer if has_holes else None)
    kept = io.BytesIO()
    shown.save(kept, "JPEG", quality=QUALITY, optimize=True)
    return kept.getvalue()
