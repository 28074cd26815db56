"""What is offered can be picked once it was offered, by whom, and by nobody else."""

from __future__ import annotations

import pytest

from whatsapp.choices import Choice, OfferedChoices

YES, NO = Choice("Yes", "/affirm"), Choice("No", "/deny")


@pytest.fixture
def offered(redis) -> OfferedChoices:
    """The choices of these keys."""
    return OfferedChoices(redis, b"k" * 32)


async def offer(redis, offered: OfferedChoices, *, buttons=(), numbered=(), conversation="ada") -> list[str]:
    """Commit a turn that offers this; the tokens of the buttons."""
    tokens = [offered.token("SM1", position) for position in range(len(buttons))]
    async with redis.pipeline(transaction=True) as pipeline:
        offered.keep_in(pipeline, conversation, dict(zip(tokens, buttons, strict=True)), numbered)
        await pipeline.execute()
    return tokens


async def test_a_pressed_button_means_what_it_stood_for(redis, offered):
    yes, no = await offer(redis, offered, buttons=(YES, NO))
    assert await offered.picked("ada", no, "No") == "/deny"
    assert await offered.picked("ada", yes, "Yes") == "/affirm"


async def test_a_token_says_nothing_and_is_the_same_when_its_turn_is_repeated(offered):
    assert offered.token("SM1", 0) == offered.token("SM1", 0)
    assert len({offered.token("SM1", 0), offered.token("SM1", 1), offered.token("SM2", 0)}) == 3
    assert "affirm" not in offered.token("SM1", 0)


async def test_a_token_of_another_conversation_or_an_invented_one_picks_nothing(redis, offered):
    (token,) = await offer(redis, offered, buttons=(YES,))
    assert await offered.picked("eve", token, "Yes") is None
    assert await offered.picked("ada", "0" * 32, "Yes") is None


@pytest.mark.parametrize(("typed", "meant"), [("1", "/affirm"), (" 2. ", "/deny"), ("2)", "/deny")])
async def test_the_number_of_a_choice_picks_it(redis, offered, typed, meant):
    await offer(redis, offered, numbered=(YES, NO))
    assert await offered.picked("ada", None, typed) == meant


@pytest.mark.parametrize("typed", ["0", "3", "99", "", "yes", "2 burgers", "-1", "1.5"])
async def test_anything_else_is_left_to_rasa(redis, offered, typed):
    await offer(redis, offered, numbered=(YES, NO))
    assert await offered.picked("ada", None, typed) is None


async def test_numbers_pick_what_was_offered_last_and_buttons_what_they_stood_for(redis, offered):
    (token,) = await offer(redis, offered, buttons=(YES,))
    await offer(redis, offered, numbered=(NO,))
    await offer(redis, offered)
    assert await offered.picked("ada", None, "1") is None
    assert await offered.picked("ada", token, "Yes") == "/affirm"
