"""`manage.py export_phones`: the inventory as CSV, to be edited and imported again."""

from contacts_app.accounts.commands import ExportCommand
from phones_app.inventory.csv import PhoneCsv


class Command(ExportCommand):
    help = "Write all phones as CSV, to the standard output unless a file is named. Passwords are left out."
    csv_format = PhoneCsv
