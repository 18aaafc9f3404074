"""Where callbacks of the demo are delivered to: an address of this portal itself, which is there with the demo alone."""

import structlog
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

log = structlog.get_logger(__name__)
PATH = "demo/receiver"


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Take whatever is posted, and keep nothing of it: what was sent is to be read on the page of its delivery."""
    # For who looks for it: a delivery a line would bury what the start has told.
    log.debug("The demo's receiver has taken a delivery", bytes=int(request.headers.get("Content-Length") or 0))
    return JsonResponse({"received": True})
