"""The page *XMLDefault*: what phones without a file of their own get, line by line with what it comes from."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from phones_app.configuration.default_file import explained_default
from profiles_app.phone.sep.default_file import NAME

SEES = "phones_app.view_layer"


class DefaultFilePages(PortalAdmin):
    """Beside the list of layers, whose values the file is made from."""

    pages = {"default_file": "default-file/"}
    actions_list = ("show_default_file", *PortalAdmin.actions_list)

    @action(description="XMLDefault", icon="draft", permissions=["view"])
    def show_default_file(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("default_file"))

    def default_file_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, SEES)
        explained = explained_default()
        text = explained.content.decode()
        return self.page(request, "phones_app/configuration/default_file.html", NAME, explained=explained, text=text)
