"""The routes of log-ins on phones, and of one's own phones, in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route
from phones_app.mobility.api.directory import MyPhones
from phones_app.mobility.api.sessions import LoginsOnPhones, MobilitySessions
from phones_app.mobility.csv import LoginCsv

router = DialectRouter()
router.register("me", MyPhones)
router.register("mobility/sessions", MobilitySessions)
router.register("phones", LoginsOnPhones)
urlpatterns = [csv_route("mobility/sessions", LoginCsv), *router.urls]
