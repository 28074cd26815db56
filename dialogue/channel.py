"""The WhatsApp channel (WhatsAppWebhookController): checks what Twilio posts, keeps it, answers at once."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.core.channels.twilio import TwilioInput
from redis.exceptions import RedisError
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from dialogue.action_endpoint import ActionServer
from dialogue.consumer import Consumer, listen_again
from dialogue.logs import configure_rasa_logs
from dialogue.metrics import DialogueMetrics
from dialogue.rasa_patch import (
    compile_answer_check,
    leave_out_detours,
    look_back_as_far_as_rules_do,
    plan_graph_once,
    read_domain_once,
)
from settings import Settings, read_settings_or_exit
from settings.memory import keep_what_is_loaded
from settings.metrics import CONTENT_TYPE, FORWARDED, PATH, exposed, make_registry
from whatsapp.conversation_queue import Admission, inbound_queue
from whatsapp.deliveries import FAILED, Deliveries, reason
from whatsapp.identity import Identity
from whatsapp.inbound import (
    InboundMessage,
    Kind,
    MalformedRequest,
    is_signed,
    parse_form,
    parse_message,
)
from whatsapp.redis import connect

logger = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024
TWILIO_SID = re.compile(r"[A-Za-z0-9]{1,64}")
ERROR_CODE = re.compile(r"[0-9]{0,8}")
FORM = "application/x-www-form-urlencoded"
REFUSALS = {413: "too_large", 415: "not_a_form", 400: "malformed", 403: "wrong_signature"}
"""How metrics name what `_checked` refuses, by its status."""
EMPTY_TWIML = "<Response/>"
# Redis is down, so the domain's wording is out of reach, too: this is the one sentence kept in code.
APOLOGY_TWIML = (
    "<Response><Message>Sorry, we cannot take messages right now. "
    "Please send that again in a few minutes.</Message></Response>"
)


class WhatsAppInput(TwilioInput):
    """Rasa's Twilio channel, rebuilt so that a message that was answered with 200 is never lost."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            settings.whatsapp.account_sid,
            settings.whatsapp.auth_tokens[0],
            settings.whatsapp.number,
        )
        self._settings = settings
        self._identity = Identity(settings.privacy)
        self._redis = connect(settings.redis)
        self._queue = inbound_queue(self._redis)
        self._deliveries = Deliveries(self._redis)
        self._metrics = DialogueMetrics(make_registry())

    @classmethod
    def name(cls) -> str:
        """The name in credentials and paths."""
        return "whatsapp"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> InputChannel:
        """Rasa's way to make a channel, before it loads the model; everything secret comes from the
        environment. From here on Rasa logs as we do."""
        settings = read_settings_or_exit()
        configure_rasa_logs(settings.log_format)
        read_domain_once()
        compile_answer_check()
        plan_graph_once()
        look_back_as_far_as_rules_do()
        leave_out_detours()
        return cls(settings)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes, and the consumer's life with the server."""
        blueprint = Blueprint("whatsapp_webhook", __name__)
        for handler, path, method in (
            (self._health, "/", "GET"),
            (self._handshake, "/webhook", "GET"),
            (self._receive, "/webhook", "POST"),
            (self._status, "/status", "POST"),
            (self._tell_metrics, PATH, "GET"),
        ):
            blueprint.add_route(partial(handler), path, methods=[method], name=handler.__name__)
        blueprint.listener("after_server_start")(self._start_consumer)
        blueprint.listener("before_server_stop")(self._stop_consumer)
        return blueprint

    async def _health(self, request: Request) -> HTTPResponse:
        """Whether messages are answered: there is a model, and the consumer is at work. Who asks from the
        inside is told which model, and which actions it needs."""
        consumer = getattr(request.app.ctx, "consumer", None)
        if consumer is None or consumer.done():
            return response.json({"status": "takes messages in, but serves none"}, status=503)
        if not request.app.ctx.agent.is_ready():
            return response.json({"status": "no model is loaded"}, status=503)
        if FORWARDED in request.headers:
            return response.json({"status": "ok"})
        agent = request.app.ctx.agent
        actions = sorted(name for name in agent.domain.user_actions if not name.startswith("utter_"))
        return response.json({"status": "ok", "model": agent.processor.model_filename, "actions": actions})

    async def _tell_metrics(self, request: Request) -> HTTPResponse:
        """What Prometheus asks for, from the inside only."""
        if FORWARDED in request.headers:
            return response.text("not found", status=404)
        return response.raw(exposed(self._metrics.registry), content_type=CONTENT_TYPE)

    async def _handshake(self, request: Request) -> HTTPResponse:
        """Meta's verification of a webhook: echo the challenge to who knows the token."""
        token = request.args.get("hub.verify_token", "").encode()
        expected = self._settings.whatsapp.webhook_verify_token.encode()
        if request.args.get("hub.mode") != "subscribe" or not hmac.compare_digest(token, expected):
            return response.text("wrong verify token", status=403)
        return response.text(request.args.get("hub.challenge", ""))

    async def _receive(self, request: Request) -> HTTPResponse:
        """Take in one message: checked, kept durably, answered."""
        fields, refusal = self._checked(request)
        if fields is None:
            return self._counted("message", REFUSALS[refusal.status], refusal)
        try:
            message = parse_message(fields, self._identity, self._settings.whatsapp.number)
        except MalformedRequest as problem:
            return self._counted("message", "malformed", response.text(str(problem), status=400))
        try:
            admission = await self._take_in(message)
        except (RedisError, OSError) as error:
            logger.error("message %s not taken in: %s", message.id, type(error).__name__)
            return self._counted("message", "not_kept", _twiml(APOLOGY_TWIML))
        return self._counted("message", admission.name.lower(), _twiml(EMPTY_TWIML))

    async def _take_in(self, message: InboundMessage) -> Admission:
        most = self._settings.whatsapp.most_per_minute
        if not most:
            return Admission(await self._queue.add(message))
        one_too_many = replace(message, kind=Kind.TOO_MANY, text="", data=None, choice=None)
        return await self._queue.add_some(message, most, one_too_many)

    def _counted(self, route: str, answer: str, given: HTTPResponse) -> HTTPResponse:
        self._metrics.requests.labels(route, answer).inc()
        return given

    async def _status(self, request: Request) -> HTTPResponse:
        """Take in what became of a message that we sent."""
        fields, refusal = self._checked(request)
        if fields is None:
            return self._counted("status", REFUSALS[refusal.status], refusal)
        sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
        code = fields.get("ErrorCode", "")
        if not TWILIO_SID.fullmatch(sid) or not ERROR_CODE.fullmatch(code):
            return self._counted("status", "malformed", response.text("not a status", status=400))
        try:
            moved = await self._deliveries.record(sid, status, code)
        except (RedisError, OSError) as error:
            logger.error("the status of message %s is lost: %s", sid, type(error).__name__)
            return self._counted("status", "not_kept", response.text("", status=503))
        if moved and status in FAILED:
            logger.warning("message %s %s: code %s, %s", sid, status, code or "none", reason(code))
        return self._counted("status", "taken" if moved else "doubled", response.text("", status=204))

    def _checked(self, request: Request) -> tuple[dict[str, str] | None, HTTPResponse]:
        """The fields of a request that Twilio signed, or None and the refusal."""
        if len(request.body) > MOST_BYTES:
            return None, response.text("too large", status=413)
        if not request.headers.get("content-type", "").startswith(FORM):
            return None, response.text("not a form", status=415)
        try:
            fields = parse_form(request.body)
        except MalformedRequest as problem:
            return None, response.text(str(problem), status=400)
        url = self._settings.public_base_url + request.path
        if request.query_string:
            url += f"?{request.query_string}"
        signature = request.headers.get("X-Twilio-Signature")
        if not is_signed(url, fields, signature, self._settings.whatsapp.auth_tokens):
            return None, response.text("wrong signature", status=403)
        return fields, response.empty()

    async def _start_consumer(self, app: Sanic, _: asyncio.AbstractEventLoop) -> None:
        agent = app.ctx.agent
        configure_rasa_logs(self._settings.log_format)  # TensorFlow, loaded since, has silenced what is INFO
        app.ctx.action_server = ActionServer(f"{self._settings.actions_url}/webhook", agent.domain)
        agent.action_endpoint = app.ctx.action_server
        if agent.processor is not None:
            agent.processor.action_endpoint = app.ctx.action_server
            agent.processor.on_circuit_break = listen_again
            agent.processor.parse_message = self._metrics.timed_parse(agent.processor.parse_message)
        keep_what_is_loaded()
        consumer = Consumer(agent, self._redis, self._settings, self._metrics)
        app.ctx.consumer = asyncio.create_task(consumer.worker().run())

    async def _stop_consumer(self, app: Sanic, _: asyncio.AbstractEventLoop) -> None:
        app.ctx.consumer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await app.ctx.consumer
        await app.ctx.action_server.close()


def _twiml(document: str) -> HTTPResponse:
    return response.text(document, content_type="text/xml")
