"""Service sessions: a person logged in on a phone's service menu, by MAC, for 24 idle hours (phone profiles spec §5)."""

from collections.abc import Iterable

from django.utils import timezone

from contacts_app.models import User
from phones_app.models import Phone, ServiceSession


def open_service_session(*, phone: Phone, user: User, address: str) -> ServiceSession:
    """Log a person in on a phone; whoever was logged in there before is logged out."""
    session, _ = ServiceSession.objects.update_or_create(
        mac=phone.mac, defaults={"user": user, "address": address, "last_used_at": timezone.now()}
    )
    return session


def live_service_session(mac: str, address: str) -> ServiceSession | None:
    """The session on this phone, its idle time begun anew; None when there is none or another address asks.

    The MAC in a phone's request is not authenticated, so a session is good only from the address that opened it
    (Cisco phones spec §1.6).
    """
    session = ServiceSession.objects.select_related("user").filter(mac=mac).first()
    if session is None or not session.is_live or session.address != address or not session.user.is_active:
        return None
    ServiceSession.objects.filter(pk=session.pk).update(last_used_at=timezone.now())
    return session


def clear_service_sessions(macs: Iterable[str]) -> set[str]:
    """End the sessions on these phones; the phones that had one. None is no error."""
    found = set(ServiceSession.objects.filter(mac__in=list(macs)).values_list("mac", flat=True))
    if found:
        ServiceSession.objects.filter(mac__in=found).delete()
    return found
