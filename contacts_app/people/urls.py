"""The routes of people in /api/v1."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.people.api.login import LoginViewSet
from contacts_app.people.api.users import Me, PermissionLevels, Users

router = DialectRouter()
router.register("auth", LoginViewSet)
router.register("users", Users)
router.register("permissions", PermissionLevels)
urlpatterns = [path("me", Me.as_view({"get": "retrieve"})), *router.urls]
