"""The routes of log-ins on phones, of directories on their screens, and of one's own phones, in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route
from phones_app.mobility.api.directory import MyPhones
from phones_app.mobility.api.enrolment import EnrolmentCodes, EnrolmentRequests, PhoneReplacements
from phones_app.mobility.api.entries import DirectoryEntries, OwnEntries
from phones_app.mobility.api.pins import MyPin
from phones_app.mobility.api.sessions import LoginsOnPhones, MobilitySessions
from phones_app.mobility.csv import LoginCsv
from phones_app.mobility.directory_csv import DirectoryCsv

router = DialectRouter()
router.register("me", MyPhones)
router.register("me/directory-entries", OwnEntries)
router.register("directory-entries", DirectoryEntries)
router.register("me", MyPin)
router.register("enrolment-codes", EnrolmentCodes)
router.register("enrolment-requests", EnrolmentRequests)
router.register("mobility/sessions", MobilitySessions)
router.register("phones", LoginsOnPhones)
router.register("phones", PhoneReplacements)
urlpatterns = [csv_route("mobility/sessions", LoginCsv), csv_route("directory-entries", DirectoryCsv), *router.urls]
