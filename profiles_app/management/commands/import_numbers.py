"""`manage.py import_numbers`: the stock of numbers from a CSV file, all or none."""

from contacts_app.accounts.commands import ImportCommand
from profiles_app.numbers.csv import StockCsv


class Command(ImportCommand):
    help = (
        "Add the numbers of a CSV file (tn, region, provider, monthly_price) to the stock and change those that are "
        "there. All rows are checked first and all errors told; then all is stored at once, or nothing."
    )
    csv_format = StockCsv
