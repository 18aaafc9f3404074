"""The phone's web server: status pages for all, pushes for those whom the portal vouches for (Cisco phones spec §1)."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

from contacts_app.core.net.async_http import HttpListener
from contacts_app.core.net.http_connection import HttpExchange
from contacts_app.core.net.http_request import Request
from phones_app.simulator.download import get
from phones_app.simulator.hand import HAND_PATH, handled
from phones_app.simulator.picture import screenshot
from phones_app.simulator.push import (
    ERROR_AUTHENTICATION,
    ERROR_PARSE,
    PushRejectedError,
    key_presses,
    read_items,
    write_error,
    write_response,
)
from phones_app.simulator.state import PhoneState
from phones_app.simulator.status_pages import GUARDED_PAGES, PAGES
from phones_app.simulator.window import PhoneWindow

# A phone is a small machine.
MAX_CONNECTIONS = 16
AUTHENTICATION_SECONDS = 5.0
EXECUTE_PATH = "/CGI/Execute"
# What the services window is told by those who push.
OF_WINDOW = ("http:", "Init:Services", "Init:Directories")
# The whole body, without even a line end (Cisco phones spec §1.5).
_AUTHORIZED = b"AUTHORIZED"


class SimulatedWeb:
    """Answers for one phone while its port is open."""

    def __init__(self, phone: PhoneState, window: PhoneWindow) -> None:
        self._phone = phone
        self._window = window
        self._listener = HttpListener(self._answer, max_connections=MAX_CONNECTIONS)

    @property
    def is_open(self) -> bool:
        return self._listener.is_open

    async def open(self, host: str, port: int) -> int:
        return await self._listener.open(host, port)

    def close(self) -> None:
        self._listener.close()

    def _answer(self, exchange: HttpExchange) -> Awaitable[None] | None:
        """A page that everybody may read at once, as each phone of a rollout is asked for several."""
        request = exchange.request
        page = PAGES.get(request.target)
        if page is None or request.method != "GET" or self._phone.answer_delay:
            return self._answer_later(exchange)
        body = page(self._phone)
        fields = f"Content-Type: {self._phone.generation.content_type}\r\nContent-Length: {len(body)}\r\n"
        exchange.write(HTTPStatus.OK, fields, body)
        return None

    async def _answer_later(self, exchange: HttpExchange) -> None:
        request = exchange.request
        await asyncio.sleep(self._phone.answer_delay)
        if request.path == EXECUTE_PATH:
            await self._execute(exchange)
            return
        if request.path == HAND_PATH:
            answer = await handled(self._phone, self._window, request)
            await exchange.reply(HTTPStatus.OK, answer, "application/json")
            return
        generation = self._phone.generation
        guarded = GUARDED_PAGES.get(request.path) if generation.tells_calls else None
        is_screen = request.path == generation.screen_page
        page = PAGES.get(request.target) or guarded
        if page is None and not is_screen:
            await exchange.reply(HTTPStatus.NOT_FOUND)
        elif request.method not in ("GET", "HEAD"):
            await exchange.reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
        elif (is_screen or guarded) and not await self._may_push(exchange):
            return
        elif page is not None:
            await self._reply_xml(exchange, page(self._phone))
        else:
            await exchange.reply(HTTPStatus.OK, *screenshot(self._phone))

    async def _execute(self, exchange: HttpExchange) -> None:
        request, generation = exchange.request, self._phone.generation
        if request.method != "POST":
            await exchange.reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
            return
        if not await self._may_push(exchange):
            return
        try:
            items = read_items(_form_field(request))
        except PushRejectedError:
            await self._reply_xml(exchange, write_error(generation, ERROR_PARSE))
            return
        self._phone.executes += 1
        self._phone.record(f"is pushed {' '.join(items)}")
        await self._reply_xml(exchange, write_response(items, generation))
        for key in key_presses(items, generation):
            self._phone.press(key)
        await self._window.execute([uri for uri in items if uri.startswith(OF_WINDOW)])

    async def _may_push(self, exchange: HttpExchange) -> bool:
        """Whether the push account is right; if not, the answer says so."""
        if self._asks_for_credentials() and "Authorization" not in exchange.request.headers:
            challenge = {"WWW-Authenticate": 'Basic realm="user"'}
            await exchange.reply(HTTPStatus.UNAUTHORIZED, headers=challenge)
            return False
        if not await self._is_authorized(exchange.request):
            self._phone.record("refused a push")
            await self._reply_xml(exchange, write_error(self._phone.generation, ERROR_AUTHENTICATION))
            return False
        return True

    def _asks_for_credentials(self) -> bool:
        device_file = self._phone.device_file
        return device_file is not None and bool(device_file.authentication_url)

    async def _is_authorized(self, request: Request) -> bool:
        """Ask the portal, as the phone's file says; everything but its exact word is a refusal."""
        device_file = self._phone.device_file
        if device_file is None:
            return False
        url = device_file.authentication_url
        if not url:
            return True  # such a phone takes a push from anybody (Cisco phones spec §1.5)
        user, password = _basic_credentials(request)
        device = f"SEP{self._phone.config.mac}"
        query = urlencode({"UserID": user, "Password": password, "devicename": device})
        asked = f"{url}{'&' if '?' in url else '?'}{query}"
        try:
            status, body = await get(asked, source=self._phone.config.host, seconds=AUTHENTICATION_SECONDS, limit=1024)
        except OSError:
            return False
        return status == HTTPStatus.OK and body == _AUTHORIZED

    async def _reply_xml(self, exchange: HttpExchange, body: bytes) -> None:
        await exchange.reply(HTTPStatus.OK, body, self._phone.generation.content_type)


def _basic_credentials(request: Request) -> tuple[str, str]:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("latin-1")
    except binascii.Error:
        return "", ""
    user, _, password = decoded.partition(":")
    return (user, password) if scheme.lower() == "basic" else ("", "")


def _form_field(request: Request) -> bytes:
    """Return the field named exactly XML, byte for byte as it was before it was percent-encoded."""
    form = parse_qs(request.body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return form.get("XML", [""])[0].encode("latin-1")
