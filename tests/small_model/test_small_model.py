"""A real model answers within the schema, the customer is asked, and a yes puts it into the cart."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from assist import checking
from assist.client import ModelClient
from assist.failures import BadAnswer
from assist.grammar import schema_for
from assist.prompt import messages
from settings import LlmSettings
from tests.assist.conftest import UNSURE
from tests.e2e.conftest import new_state_dir, running
from tests.e2e.rows import cart_of
from tests.e2e.system import Phone, System
from tests.small_model.serving import CannotServe, SmallModel, install, serving

UNCLEAR = "something black wey dey fizzy for my throat"
MOST_TRIES = 4
"""The first question of a model takes longest; a customer who is not understood says it again."""
PATIENCE = 300.0
SLOW_MACHINE = {"LLM_DEADLINE_SECONDS": "7"}


@pytest.fixture(scope="module")
def small_model() -> Iterator[SmallModel]:
    """The model, served; skipped on a machine of another kind, or without node."""
    try:
        model = install()
    except CannotServe as reason:
        pytest.skip(str(reason))
    with serving(model) as server:
        yield server


@pytest.fixture(scope="module")
def assisted(small_model: SmallModel) -> Iterator[System]:
    """The whole system, helped by it."""
    settings = {"LLM_BASE_URL": small_model.base_url, "LLM_MODEL": "smollm2-135m", **SLOW_MACHINE}
    with running(new_state_dir(), settings) as system:
        yield system


def test_what_a_real_model_proposes_goes_into_the_cart_by_the_customers_yes(
    assisted: System, small_model: SmallModel
) -> None:
    phone = Phone(assisted, f"+23480{random.randint(20_000_000, 99_999_999)}")
    for _ in range(MOST_TRIES):
        asked = phone.say(UNCLEAR)
        if "Did you mean this?" in asked:
            break
        small_model.finish()
    proposed = re.search(r"1 × (.+)", asked)
    assert proposed is not None, asked
    assert cart_of(assisted, phone) == {}
    phone.say("yes")
    assert cart_of(assisted, phone) == {proposed[1].split(" (")[0]: 1}


async def test_it_answers_in_the_whole_grammar(small_model: SmallModel) -> None:
    """What it answers is often wrong, and always within the grammar."""
    client = ModelClient(LlmSettings(small_model.base_url, "smollm2-135m-full", deadline_seconds=PATIENCE))
    for text in ("3 of dem black fizzy one wey cold", "where my food dey", "asdf"):
        situation = replace(UNSURE, text=text)
        completion = await client.complete(messages(situation), schema_for(situation.candidates))
        answer = checking.read(completion.text)
        assert answer.command.kind in ("order", "intent", "clarify", "none")
        with contextlib.suppress(BadAnswer):  # a quantity that nobody said, for one
            checking.check(answer, situation)
        assert completion.output_tokens > 0
    await client.aclose()
