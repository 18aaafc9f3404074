"""Forms with large files that the script of the admin sends, to show how far they are (`static/patchbay/admin.js`).

It is answered in JSON: where to go, or what is wrong, so that the files stay chosen. Without it the same form is a plain
one.
"""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse


def is_sent_by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    return JsonResponse({"go": url}) if is_sent_by_script(request) else HttpResponseRedirect(url)


def errors_of(form: forms.Form) -> JsonResponse:
    labels = {name: str(field.label or name.capitalize()) for name, field in form.fields.items()}
    wrong = [
        f"{labels[name]}: {text}" if name in labels else text for name, texts in form.errors.items() for text in texts
    ]
    return JsonResponse({"errors": wrong})
