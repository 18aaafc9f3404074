"""The route of rates in /api/v1; what the provider's API has of calls is with messaging."""

from contacts_app.core.csv.api import csv_route
from profiles_app.voice.rate_csv import RateCsv

urlpatterns = [csv_route("rates", RateCsv)]
