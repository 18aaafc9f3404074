"""Files that are made when a phone asks for them: those for phones without a file of their own, and the default file.

The subjects above register what they make. What is stored under the name, as a file or as a row, comes first (`lookup`).
"""

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from phones_app.boot.contents import SentContent
from phones_app.boot.fetches import Fetch

log = structlog.get_logger(__name__)

# The file for this request; None: there is none for who asks.
MakeFile = Callable[[Fetch], bytes | None]
_makers: list[tuple[re.Pattern[str], MakeFile]] = []


def register_made(pattern: str, make: MakeFile) -> None:
    """Have `make` asked, from threads, for files whose whole name matches `pattern`; the first to be registered first."""
    _makers.append((re.compile(pattern), make))
    is_made.cache_clear()


@lru_cache(maxsize=1024)
def is_made(name: str) -> bool:
    """Whether a file with this name may be made."""
    return any(pattern.fullmatch(name) for pattern, _ in _makers)


async def made_for(fetch: Fetch) -> SentContent | None:
    """What is made for this request. It may take time and ask the database, which is not the loop's."""
    makers = [make for pattern, make in _makers if pattern.fullmatch(fetch.file_name)]
    return await asyncio.to_thread(_made, fetch, makers)


def _made(fetch: Fetch, makers: list[MakeFile]) -> SentContent | None:
    close_old_connections()
    try:
        content = next((found for make in makers if (found := make(fetch)) is not None), None)
    except (DatabaseError, InterfaceError) as error:
        log.error("whether a file is made for a phone could not be looked up", file=fetch.file_name, reason=str(error))
        return None
    except Exception:
        log.exception("a file could not be made", file=fetch.file_name)
        return None
    finally:
        connection.close()
    return SentContent(len(content), sha256(content).hexdigest(), content) if content is not None else None
