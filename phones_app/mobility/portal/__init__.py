"""Pages of the self-service portal about phones: they are declared when this is imported."""

from phones_app.mobility.portal import keys, phones

__all__ = ["keys", "phones"]
