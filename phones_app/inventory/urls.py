"""The routes of phones in /api/v1."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route
from phones_app.inventory.api.phone import Phones
from phones_app.inventory.csv import PhoneCsv

router = DialectRouter()
router.register("phones", Phones)
urlpatterns = [csv_route("phones", PhoneCsv), *router.urls]
