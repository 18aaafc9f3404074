"""The routes of shared files in /api/v1."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from phones_app.shared_files.api.check import FileChecks
from phones_app.shared_files.api.file import FileContents, Files

router = DialectRouter()
router.register("files", Files)
CONTENT = FileContents.as_view({"get": "retrieve", "put": "update"})
CHECK = FileChecks.as_view({"get": "retrieve"})
urlpatterns = [*router.urls, path("files/<str:uuid>/content", CONTENT), path("files/<str:uuid>/check", CHECK)]
