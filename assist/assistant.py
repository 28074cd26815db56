"""The one entry: a proposal for a message that was not understood, or none, always within the deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from circuitbreaker import STATE_HALF_OPEN, CircuitBreaker

from assist import checking, prompt
from assist.bounds import FAILURES_TO_OPEN, OPEN_SECONDS, AnswerCache, Budget
from assist.client import Completion
from assist.failures import NotAsked, NotHelped, Unavailable
from assist.grammar import Answer, schema_for
from assist.metrics import AssistMetrics
from assist.situation import Proposal, Situation
from settings import LlmSettings

logger = logging.getLogger(__name__)

A_MILLION = 1_000_000
TO_SPARE = 0.05
"""Seconds that are left when the model is given up, for all that comes behind."""


class Model(Protocol):
    """Who is asked."""

    async def complete(self, messages: list[Any], schema: Mapping[str, Any]) -> Completion:
        """What the model makes of some messages.

        Raises:
            Unavailable
        """


class Assistant:
    """Asks a model within bounds. It proposes; what becomes of a proposal is others' to decide."""

    def __init__(
        self,
        model: Model,
        settings: LlmSettings,
        budget: Budget,
        cache: AnswerCache,
        metrics: AssistMetrics,
    ) -> None:
        self._model = model
        self._settings = settings
        self._budget = budget
        self._cache = cache
        self._metrics = metrics
        # A call that is cancelled says nothing good of the server: it must not end the count of failures.
        self._breaker = CircuitBreaker(
            FAILURES_TO_OPEN,
            OPEN_SECONDS,
            expected_exception=(Unavailable, asyncio.CancelledError),
            name="language model",
        )
        self._trying = False
        """Whether a call tries if the server, which was left alone, is well again."""
        self._places = asyncio.Semaphore(settings.most_at_once)
        metrics.open.set_function(lambda: float(self._breaker.opened))

    async def may_ask(self, customer: str) -> bool:
        """Whether the bounds let a customer's message be asked about: known before a situation is put
        together for nothing."""
        try:
            async with asyncio.timeout(self._settings.deadline_seconds):
                self._look_at_server()
                await self._budget.left(customer)
        except (NotAsked, TimeoutError) as failure:
            self._metrics.outcomes.labels(getattr(failure, "reason", "not_counted")).inc()
            return False
        return True

    async def propose(self, situation: Situation) -> Proposal | None:
        """What the customer may have meant; None where the model cannot tell, or does not help in time.

        Never raises but when it is cancelled.
        """
        ends = asyncio.get_running_loop().time() + self._settings.deadline_seconds
        try:
            async with asyncio.timeout_at(ends):
                answer = await self._answer(situation, ends - TO_SPARE)
            proposal = checking.check(answer, situation)
            outcome = _kind_of(proposal)
        except NotHelped as failure:
            proposal, outcome = None, failure.reason
            # While the server is left alone, or its budget is spent, this is no news.
            level = logging.DEBUG if isinstance(failure, NotAsked) else logging.WARNING
            logger.log(level, "the language model %s did not help: %s", self._settings.model, failure.reason)
        except Exception as error:
            # Redis that keeps silent, too; a customer is answered whatever breaks here.
            proposal, outcome = None, "failed"
            logger.error("the language model %s did not help: %s", self._settings.model, type(error).__name__)
        self._metrics.outcomes.labels(outcome).inc()
        return proposal

    async def _answer(self, situation: Situation, ends: float) -> Answer:
        """What the model says of a situation before the loop's time `ends`; from the cache where it was asked
        the very same before.

        Raises:
            NotHelped
        """
        messages = prompt.messages(situation)
        key = self._cache.key_of(messages, situation.catalogue_version)
        kept = await self._cache.get(key)
        self._metrics.cache.labels("hit" if kept else "miss").inc()
        if kept:
            return checking.read(kept)
        self._look_at_server()
        async with self._places:
            await self._budget.take(situation.customer)
            completion = await self._ask(messages, schema_for(situation.candidates), ends)
        answer = checking.read(completion.text)
        await self._cache.put(key, answer.model_dump_json())
        return answer

    def _look_at_server(self) -> None:
        """Whether the server may be asked now; when it was left alone long enough, by one call alone.

        Raises:
            NotAsked
        """
        if self._breaker.opened or (self._breaker.state == STATE_HALF_OPEN and self._trying):
            raise NotAsked("left_alone")
        if self._places.locked():
            raise NotAsked("busy")

    async def _ask(self, messages: list[Any], schema: Mapping[str, Any], ends: float) -> Completion:
        """One call; that it takes too long is a failure that the breaker counts.

        Raises:
            NotAsked: another call began to try a server that was left alone.
            Unavailable
        """
        tries = self._breaker.state == STATE_HALF_OPEN
        if tries and self._trying:
            raise NotAsked("left_alone")
        self._metrics.calls.inc()
        self._trying = self._trying or tries
        try:
            with self._breaker, self._metrics.seconds.time():
                try:
                    async with asyncio.timeout_at(ends):
                        completion = await self._model.complete(messages, schema)
                except TimeoutError:
                    raise Unavailable("timeout") from None
        finally:
            self._trying = self._trying and not tries
        self._count(completion)
        return completion

    def _count(self, completion: Completion) -> None:
        paid = (
            completion.input_tokens * self._settings.input_cost
            + completion.output_tokens * self._settings.output_cost
        )
        self._metrics.tokens.labels("in").inc(completion.input_tokens)
        self._metrics.tokens.labels("out").inc(completion.output_tokens)
        self._metrics.cost.inc(float(paid / A_MILLION))


def _kind_of(proposal: Proposal | None) -> str:
    if proposal is None:
        return "none"
    return "clarify" if proposal.clarify else "proposed"
