"""Pages for people without a login: ending the mails of a listener through the link in them (events spec §7)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from profiles_app.events.callback_health import end_mails, mails_of


# The code is what proves the right to do this: mailboxes post without cookies (RFC 8058 §3.2).
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def callback_unsubscribe(request: HttpRequest, listener_id: int, code: str) -> HttpResponse:
    """Looking at the link changes nothing, because mail scanners do that; posting ends the mails."""
    mails = mails_of(listener_id, code)
    if mails is None:
        return render(request, "profiles_app/events/callback_unsubscribe.html", {"step": "unknown"}, status=404)
    step = "ended" if mails.have_ended else "ask"
    if request.method == "POST":
        end_mails(mails)
        step = "ended"
    return render(request, "profiles_app/events/callback_unsubscribe.html", {"step": step, "mails": mails})
