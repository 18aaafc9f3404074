"""The routes of /api/v1 that are about what phones' files are made from, beside those of the phones themselves."""

from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route
from phones_app.configuration.api.default_file import DefaultFiles
from phones_app.configuration.api.layer import Layers
from phones_app.configuration.api.pbx import PbxOfPhone
from phones_app.configuration.api.phone import PhoneConfigurations
from phones_app.configuration.line_csv import PlacedLineCsv

router = DialectRouter()
router.register("default-file", DefaultFiles)
router.register("layers", Layers)
router.register("phones", PbxOfPhone)
router.register("phones", PhoneConfigurations)
urlpatterns = [csv_route("lines", PlacedLineCsv), *router.urls]
