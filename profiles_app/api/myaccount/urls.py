"""The routes of /backend/api/v1, each with and without a slash at its end (MyAccount spec §1)."""

from typing import Any

from django.urls import URLPattern, path
from rest_framework.views import APIView

from profiles_app.api.myaccount.customer_profile import CustomerProfileView
from profiles_app.api.myaccount.preset import PresetValues
from profiles_app.api.myaccount.profile import ProfileDetail, ProfileList


def both(route: str, view: type[APIView]) -> list[URLPattern]:
    """The route as documented, and its other form, which the OpenAPI document leaves out."""
    other: Any = route.removesuffix("/") if route.endswith("/") else f"{route}/"
    return [path(route, view.as_view()), path(other, view.as_view(schema=None))]


urlpatterns = [
    *both("myAccountCustomerProfiles/", ProfileList),
    *both("myAccountCustomerProfiles/<str:profile_id>", ProfileDetail),
    *both("customers/<str:customer_id>/myAccountProfile", CustomerProfileView),
    *both("presetValues", PresetValues),
]
