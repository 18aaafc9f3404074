"""The routes of call records in /api/v1."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.calls.api import Calls, CallsExport

router = DialectRouter()
router.register("calls", Calls)
urlpatterns = [path("calls.csv", CallsExport.as_view({"get": "list"})), *router.urls]
