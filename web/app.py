"""The web app, put together from its parts."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from settings import Settings
from settings.metrics import make_registry
from shop.assembly import make_sandbox, make_shop
from shop.errors import describe
from shop.metrics import ShopMetrics
from shop.observing import Observer
from web.console.data import add_data_pages
from web.console.forgetting import CopiesInRedis
from web.console.frame import Console
from web.console.pages import console_routes
from web.health import Health
from web.local_whatsapp.assembly import local_whatsapp_routes
from web.metrics import MeasureRequests, MetricsPage
from web.payments import PaymentPages
from web.pictures import Pictures
from web.receipts import ReceiptPages
from web.security import LimitBodies, LimitPosts, SecureHeaders, headers_for
from whatsapp.redis import connect

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
PICTURES = HERE.parent / "db" / "seed" / "pictures"


def make_app(settings: Settings) -> Starlette:
    """All routes. The sandbox and the local WhatsApp do not exist in production."""
    registry = make_registry()
    shop = make_shop(settings, CopiesInRedis(settings.redis), observer=ShopMetrics(registry))
    redis = connect(settings.redis)
    templates = Jinja2Templates(HERE / "templates")
    client = httpx.AsyncClient(timeout=15.0)
    console = Console(shop, templates, secure=settings.public_base_url.startswith("https:"))
    health = Health(shop, redis, client, settings)
    sandbox = None if settings.is_production else make_sandbox(settings, shop.sessions)
    headers = headers_for(settings.public_base_url)
    routes = [
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        *MetricsPage(shop, redis, registry).routes(),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        *Pictures(shop, PICTURES).routes(),
        *PaymentPages(shop, templates, settings.shop.business_name, sandbox).routes(),
        *ReceiptPages(shop, templates).routes(),
        *console_routes(console, settings, redis, templates),
    ]
    routes += local_whatsapp_routes(settings, sandbox, redis, client, templates)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()
        await redis.aclose()

    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(MeasureRequests, registry=registry),
            Middleware(SecureHeaders, headers=headers),
            Middleware(LimitPosts),
            Middleware(LimitBodies),
        ],
        exception_handlers={
            SQLAlchemyError: functools.partial(database_failed, shop.observer),
            Exception: functools.partial(failed, shop.observer, headers),
        },
        lifespan=lifespan,
    )
    add_data_pages(app, console)
    return app


async def database_failed(observer: Observer, _: Request, error: Exception) -> JSONResponse:
    """One line for the operator, without the values that the error quotes; the caller tries again."""
    observer.failed(error)
    logger.error("database: %s", describe(error))
    return JSONResponse({"error": "try again"}, status_code=503)


async def failed(
    observer: Observer, headers: Mapping[str, str], _: Request, error: Exception
) -> JSONResponse:
    """Nothing of the error leaves; the server logs it. Starlette answers this outside of all middleware."""
    observer.failed(error)
    return JSONResponse({"error": "something went wrong"}, status_code=500, headers=headers)
