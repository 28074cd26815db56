"""A trained model's NLU components, for many texts at once and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from rasa.core.agent import Agent
from rasa.engine.graph import GraphComponent
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from dialogue.nlu.order_parser import OrderParser
from dialogue.orders.reader import OrderReader

Pipeline = Callable[[Sequence[str]], list[tuple[str, float]]]


def load_pipeline(model: str, reader: OrderReader) -> Pipeline:
    """From texts to intents with their confidence, with the menu of a reader.

    Raises:
        RasaException: if there is no model, or it is not one of this project's.
    """
    components = asyncio.run(_components(model))
    for component in components:
        if isinstance(component, OrderParser):
            component.use(reader)

    def run(texts: Sequence[str]) -> list[tuple[str, float]]:
        messages = [Message({TEXT: text}) for text in texts]
        for component in components:
            messages = component.process(messages)
        intents = [message.get(INTENT) or {} for message in messages]
        return [(str(one.get("name")), float(one.get("confidence") or 0)) for one in intents]

    return run


async def _components(model: str) -> list[GraphComponent]:
    """The components of the pipeline in its order.

    Rasa's graph takes one message a run; in a batch, its components take a tenth of the time.
    """
    agent = Agent.load(model)
    if agent.processor is None:
        raise RasaException(f"no model at {model}")
    nodes = agent.processor.graph_runner._instantiated_nodes.values()
    running = [node._component for node in nodes if node._fn_name == "process"]
    return [component for component in running if not isinstance(component, RegexMessageHandler)]
