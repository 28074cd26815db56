"""What a phone can send besides words, as Twilio's fields; and what is no message."""

from __future__ import annotations

import pytest

from tests.environment import CUSTOMER_NUMBER
from web.local_whatsapp.content import NothingToSend, read_content
from web.local_whatsapp.pictures import MOST_KEPT, NoPicture, Pictures
from whatsapp.identity import Identity
from whatsapp.inbound import Kind, parse_message

PHONE = {"phone": CUSTOMER_NUMBER, "name": "Ada"}
TOKEN = "0123456789abcdef" * 2
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
MEDIA = "http://127.0.0.1:4000/local-whatsapp/media"


@pytest.fixture
def understood(settings):
    """What our own webhook makes of a message."""

    def understood(values):
        fields = {
            "MessageSid": "SM1",
            "From": f"whatsapp:{CUSTOMER_NUMBER}",
            **read_content(values, MEDIA).fields,
        }
        return parse_message(fields, Identity(settings.privacy), settings.whatsapp.number)

    return understood


@pytest.mark.parametrize("layout", ["", "list"])
def test_a_pressed_button_and_a_picked_row_are_a_choice(understood, layout):
    message = understood({"text": "Burgers", "token": TOKEN, "layout": layout})
    assert (message.kind, message.text, message.choice) == (Kind.TEXT, "Burgers", TOKEN)


def test_a_place_is_a_location(understood):
    message = understood({"location": {"latitude": "6.5244", "longitude": 3.3792, "label": "Home"}})
    assert message.kind == Kind.LOCATION
    assert message.data == {"latitude": "6.5244", "longitude": "3.3792", "address": "", "label": "Home"}


def test_a_picture_is_something_that_cannot_be_read(understood):
    assert understood({"picture": "ME1"}).kind == Kind.UNREADABLE
    assert understood({"picture": "ME1", "text": "this one"}).text == "this one"


@pytest.mark.parametrize(
    "values",
    [
        {"text": " "},
        {"text": "a" * 4097},
        {"location": {"latitude": "north"}},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": "nan", "longitude": 0}},
        {"location": "Lagos"},
        {"token": TOKEN},
    ],
)
def test_what_is_no_message_is_explained(values):
    with pytest.raises(NothingToSend, match=r"\.$"):
        read_content(values, MEDIA)


def test_a_picture_is_uploaded_sent_shown_and_fetched_as_media(web, webhook):
    uploaded = web.post("/local-whatsapp/pictures", files={"picture": ("burger.jpg", JPEG)})
    picture = uploaded.json()["picture"]
    assert web.post("/local-whatsapp/messages", json={**PHONE, "picture": picture}).status_code == 202
    ((_, fields, _),) = webhook.posts
    assert (fields["NumMedia"], fields["MediaContentType0"]) == ("1", "image/jpeg")
    answer = web.get("/local-whatsapp/media/" + fields["MediaUrl0"].rpartition("/")[2])
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "status"), [(b"<svg onload=alert(1)>", 400), (b"", 400), (JPEG + bytes(6_000_000), 413)]
)
def test_what_whatsapp_takes_for_no_picture_is_refused(web, content, status):
    answer = web.post("/local-whatsapp/pictures", files={"picture": ("x.jpg", content)})
    assert answer.status_code == status
    assert answer.json()["error"].startswith("WhatsApp takes")


def test_an_upload_without_a_picture_and_a_picture_that_is_gone(web):
    assert web.post("/local-whatsapp/pictures", data={"picture": "words"}).status_code == 400
    assert web.get("/local-whatsapp/media/ME1").status_code == 404


def test_old_pictures_make_room():
    pictures = Pictures()
    kept = [pictures.keep(JPEG) for _ in range(MOST_KEPT + 1)]
    assert pictures.find(kept[0]) is None and pictures.find(kept[1]) is not None
    with pytest.raises(NoPicture):
        pictures.keep(b"RIFF0000WAVE")
