"""What leaves this machine for a phone or a server: plain values in, a result or TransportError out.

No Django, no models and no decisions live here; whether and when to send is decided by the services.
"""

from contacts_app.core.errors import Exchange, TransportError

__all__ = ["Exchange", "TransportError"]
