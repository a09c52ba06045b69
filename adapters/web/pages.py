"""Templates and what goes with every page: rendering, security headers, versions of static files."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.web.show import link, rich
from adapters.web.words import label, words

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"w": words(), "label": label, "static": static, "link": link}
    environment.filters["rich"] = rich
    return environment


@cache
def static(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def render(template: str, **values: Any) -> str:
    """A template filled in; everything in it is escaped."""
    return _environment().get_template(template).render(**values)


def page(template: str, **values: Any) -> web.Response:
    """A page that is never cached."""
    return web.Response(
        text=render(template, **values), content_type="text/html", headers={"Cache-Control": "no-store"}
    )
