"""An assistant on a stand-in, and a situation to ask about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from assist.assembly import make_assistant
from assist.assistant import Assistant
from assist.situation import Situation
from settings import LlmSettings
from shop.candidates import Candidate

COLA = Candidate("11111111-0000-0000-0000-000000000001", "Cola", "Drinks", (("o1", "Large"),), ("ice",))
BURGER = Candidate("11111111-0000-0000-0000-000000000002", "Burger", "Burgers", (), ("onions",))
UNSURE = Situation(
    customer="pseudonym-of-ada",
    text="3 of dem black fizzy one wey cold",
    state="BROWSING_PRODUCTS",
    language="pcm",
    cart=("1 × Burger",),
    turns=("customer: wetin una get", "shop: utter_categories"),
    candidates=(COLA, BURGER),
    numbers=frozenset({3}),
    catalogue_version="v1",
)


@dataclass
class Rig:
    """An assistant and what it counted."""

    assistant: Assistant
    registry: CollectorRegistry

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(f"chatcart_llm_{name}", labels) or 0.0


@pytest.fixture
def make_rig(settings, redis) -> Callable[..., Rig]:
    """Makes an assistant on a server; keyword arguments change its bounds."""

    def make(base_url: str, **bounds: Any) -> Rig:
        llm = replace(LlmSettings(base_url, "tiny", deadline_seconds=30), **bounds)
        registry = CollectorRegistry()
        assistant = make_assistant(replace(settings, llm=llm), redis, registry)
        assert assistant is not None
        return Rig(assistant, registry)

    return make


@pytest.fixture
def menu(make_product, test_burger):
    """Two things to buy."""
    return {"burger": test_burger, "cola": make_product(name="Cola", price=500, category="Drinks")}
