"""URLs that customers give us: which are fit to be posted to, and how they are shown without what is secret in them."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

MIN_URL, MAX_URL = 10, 255
UNFIT = f"Must be an http or https URL of {MIN_URL} to {MAX_URL} characters."


def is_web_url(text: str) -> bool:
    """http or https, with a host, of the documented length and nothing that would break a request line."""
    if not MIN_URL <= len(text) <= MAX_URL or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def validate_web_url(text: str) -> None:
    if not is_web_url(text):
        raise ValidationError(UNFIT)


def masked_url(url: str | None) -> str:
    """The scheme and the host; keys stand in user names, paths and queries alike."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("" if url == f"{parts.scheme}://{host}" else "/…")
