"""The routes of phone profiles in /api/v1; what is about a phone as well is above."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route
from profiles_app.phone.api.line import Lines
from profiles_app.phone.api.profile import PhoneProfiles
from profiles_app.phone.api.revision import Revisions
from profiles_app.phone.api.setting import SettingCatalogue
from profiles_app.phone.api.template import KeyLayouts, Templates
from profiles_app.phone.csv import ProfileCsv

router = DialectRouter()
router.register("phone-profiles", PhoneProfiles)
router.register("lines", Lines)
router.register("phone-profiles/<str:uuid>/revisions", Revisions)
router.register("templates", Templates)
router.register("key-layouts", KeyLayouts)
router.register("settings", SettingCatalogue)
urlpatterns = [csv_route("phone-profiles", ProfileCsv), *router.urls]
