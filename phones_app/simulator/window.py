"""The services window of a phone: what a person sees and presses there, and what the phone asks for on that account.

A phone keeps no cookies and opens a connection for each request; how it sends forms and where it shows what depends on
its generation (mobility spec §1 to §4).
"""

import asyncio
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode, urljoin

from phones_app.simulator.download import ask
from phones_app.simulator.objects import MAX_BYTES, ObjectRefused, PhoneObject, read_object
from phones_app.simulator.state import PhoneState

SECONDS = 15.0
ACCEPT = "x-CiscoIPPhone/*;version=8.5.1, text/*, image/png, */*;q=0.1"
USER_AGENT = "Allegro-Software-WebClient/4.34"
# How far back a person can go.
MOST_PAGES = 16
_REFRESH = re.compile(r"\s*(\d+)\s*(?:;\s*url=(.*))?", re.IGNORECASE)
# What a field takes, by the letter in its flags (Cisco phones spec §1.6).
_TYPABLE = {"N": r"\d", "T": r"[\d*#+]", "A": r"[ -~\u00a0-\uffff]"}


@dataclass
class OpenPage:
    """One page with what the person has typed and chosen on it."""

    url: str
    shown: PhoneObject
    goes_back: bool = True
    typed: dict[str, str] = field(default_factory=dict)
    chosen: int = 0


class PhoneWindow:
    """On the phone's loop. `page` is None while the window is closed."""

    def __init__(self, phone: PhoneState) -> None:
        self._phone = phone
        self._before: list[OpenPage] = []
        self._reload: asyncio.Task[None] | None = None
        # Counts what the person did: an answer to what they have left is not shown.
        self._turn = 0
        self.page: OpenPage | None = None

    @property
    def shown(self) -> PhoneObject | None:
        return self.page.shown if self.page else None

    def close(self) -> None:
        self._turn += 1
        self._stop_reload()
        self.page = None
        self._before.clear()

    async def press(self, key: str) -> None:
        """A key of the phone, as `Services` or `Directories`: opens what its file names for it."""
        device_file = self._phone.device_file
        url = device_file.service_urls.get(key, "") if device_file and self._phone.is_up else ""
        self.close()
        if url:
            await self.open(self._named(url))

    async def open(self, url: str, form: dict[str, str] | None = None) -> None:
        """Ask for a page, and show it or what is wrong with it."""
        self._turn += 1
        self._stop_reload()
        turn, posted = self._turn, None if form is None else urlencode(form).encode()
        try:
            answer = await ask(
                url,
                source=self._phone.config.host,
                seconds=SECONDS,
                limit=MAX_BYTES,
                headers=self._headers(),
                form=posted,
            )
        except OSError as error:
            self._phone.record(f"shows Host Not Found: {error}")
            self._show(turn, url, _told("Host Not Found"))
            return
        if answer.status != HTTPStatus.OK:
            self._phone.record(f"shows HTTP Error [{answer.status}]")
            self._show(turn, url, _told(f"HTTP Error [{answer.status}]!"))
            return
        try:
            shown = read_object(
                answer.body, answer.headers.get("content-type", ""), self._phone.generation.accept_charset
            )
        except ObjectRefused as error:
            self._phone.record(f"shows XML Error: {error}")
            shown = _told("XML Error [4]: Parse Error")
        if shown.kind == "CiscoIPPhoneExecute":
            await self.execute([url for _, url in shown.choices])
            return
        self._show(turn, url, shown, goes_back="expires" not in answer.headers)
        if turn == self._turn and (refresh := _REFRESH.fullmatch(answer.headers.get("refresh", ""))):
            self._reload = asyncio.create_task(self._open_later(int(refresh[1]), urljoin(url, refresh[2] or url)))

    async def execute(self, uris: list[str]) -> None:
        for uri in uris:
            await self._follow(uri)

    async def press_soft_key(self, position: int) -> None:
        """Do what the soft key at this position says; nothing where there is none."""
        if self.page is not None and position in self.page.shown.keys:
            await self._follow(self.page.shown.keys[position][1])

    async def choose(self, place: int) -> None:
        """Press the item of a menu at this place, or put the mark on an entry of a directory."""
        if self.page is None or not 0 <= place < len(self.page.shown.choices):
            return
        self.page.chosen = place
        if self.page.shown.kind == "CiscoIPPhoneMenu":
            await self._follow(self.page.shown.choices[place][1])

    def type(self, name: str, text: str) -> None:
        """Fill a field; what its flags do not allow cannot be typed."""
        for each in self.page.shown.fields if self.page else ():
            if each.name == name and self.page:
                allowed = _TYPABLE.get(each.flags[:1], _TYPABLE["A"])
                self.page.typed[name] = "".join(re.findall(allowed, text))[:64]

    async def _follow(self, url: str) -> None:
        """A soft key, an item of a menu, or an item that was pushed."""
        scheme, _, rest = url.partition(":")
        if scheme in ("http", "https"):
            await self.open(url)
        elif url in ("SoftKey:Exit", "SoftKey:Cancel", "SoftKey:Back"):
            self._go_back()
        elif url == "SoftKey:Select" and self.page is not None:
            await self.choose(self.page.chosen)
        elif url == "SoftKey:Submit" and self.page is not None:
            await self._submit(self.page)
        elif url == "SoftKey:<<" and self.page is not None:
            self.page.typed = {name: text[:-1] for name, text in self.page.typed.items()}
        elif url == "SoftKey:Update" and self.page is not None:
            await self.open(self.page.url)
        elif url in ("SoftKey:Dial", "SoftKey:EditDial") and self.page is not None and self.page.shown.choices:
            self._phone.record(f"dials {self.page.shown.choices[self.page.chosen][1]}")
            self.close()
        elif scheme == "Init":
            self.close()
        elif scheme == "Dial":
            self._phone.record(f"dials {rest}")
            self.close()

    async def _submit(self, page: OpenPage) -> None:
        """By GET the values go behind the URL; as a body where the page asks for it and the phone can."""
        values = {each.name: page.typed.get(each.name, each.default) for each in page.shown.fields}
        url = page.shown.url
        if page.shown.method == "post" and self._phone.generation.posts_forms:
            await self.open(url, values)
        else:
            await self.open(f"{url}{'&' if '?' in url else '?'}{urlencode(values)}")

    def _go_back(self) -> None:
        self._turn += 1
        self._stop_reload()
        self.page = self._before.pop() if self._before else None

    def _show(self, turn: int, url: str, shown: PhoneObject, *, goes_back: bool = True) -> None:
        if turn != self._turn or not self._phone.is_up:
            return
        if self.page is not None and self.page.goes_back and self.page.url != url:
            self._before = [*self._before, self.page][-MOST_PAGES:]
        self.page = OpenPage(url, shown, goes_back)
        self._phone.record(f"shows {shown.kind} {shown.title}")

    async def _open_later(self, seconds: int, url: str) -> None:
        await asyncio.sleep(seconds)
        self._reload = None  # so that it does not stop itself
        await self.open(url)

    def _stop_reload(self) -> None:
        if self._reload is not None:
            self._reload.cancel()
            self._reload = None

    def _named(self, url: str) -> str:
        device = f"SEP{self._phone.config.mac}"
        url = url.replace("#DEVICENAME#", device).replace("#EMCC#", "")
        if self._phone.generation.names_itself:
            url += f"{'&' if '?' in url else '?'}{urlencode({'locale': 'English_United_States', 'name': device})}"
        return url

    def _headers(self) -> dict[str, str]:
        width, height = self._phone.generation.screen_size
        prefix = "DP" if self._phone.config.model.startswith("98") else "CP"
        return {
            "User-Agent": USER_AGENT,
            "Accept": ACCEPT,
            "Accept-Charset": self._phone.generation.accept_charset,
            "x-CiscoIPPhoneModelName": f"{prefix}-{self._phone.config.model}",
            "x-CiscoIPPhoneDisplay": f"{width}, {height}, {self._phone.generation.depth}",
        }


def _told(words: str) -> PhoneObject:
    """What the phone says by itself."""
    return PhoneObject("error", text=words, keys={1: ("Exit", "SoftKey:Exit")})
