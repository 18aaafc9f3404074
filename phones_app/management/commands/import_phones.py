"""`manage.py import_phones`: phones from a CSV file, all or none."""

from contacts_app.accounts.commands import ImportCommand
from phones_app.inventory.csv import PhoneCsv


class Command(ImportCommand):
    help = (
        "Add the phones of a CSV file and change those that are there, by MAC address in any spelling. All rows are "
        "checked first and all errors told; then all is stored at once, or nothing. `export_phones` shows the columns."
    )
    csv_format = PhoneCsv
