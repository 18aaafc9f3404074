"""Pages for people without a login: ending mails through the link in them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts_app.contacts.services import read_token, set_subscribed


# The token is what proves the right to do this: mailboxes post without cookies (RFC 8058 §3.2).
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest) -> HttpResponse:
    """Looking at the link changes nothing, because mail scanners do that; posting ends the mails, or resumes them."""
    token = request.GET.get("token", "")
    subscription = read_token(token)
    if subscription is None:
        return render(request, "contacts_app/contacts/unsubscribe.html", {"step": "unknown"}, status=404)
    step = "ask"
    if request.method == "POST":
        told = "resume" in request.POST
        set_subscribed(subscription, told=told)
        step = "resumed" if told else "ended"
    return render(request, "contacts_app/contacts/unsubscribe.html", {"step": step, "subscription": subscription})
