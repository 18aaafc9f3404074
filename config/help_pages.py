"""The documentation at /help/, for everybody: it has nothing that the public repository has not.

An installation without the internet has it, too: the site that `make docs` has built, or else the text that its pages
are made from.
"""

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

SOURCE: Path = settings.BASE_DIR / "docs"
SITE = SOURCE / "_site"


@require_safe
def help_page(request: HttpRequest, path: str = "index.html") -> HttpResponseBase:
    """A file of the site, by its way from the top: `guide/first-phone.html`."""
    if (SITE / "index.html").exists():
        return serve(request, path, document_root=str(SITE))
    if not path.endswith(".html"):
        raise Http404
    answer = serve(request, f"{path.removesuffix('.html')}.md", document_root=str(SOURCE))
    answer["Content-Type"] = "text/plain; charset=utf-8"
    return answer
