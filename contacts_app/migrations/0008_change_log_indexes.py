from django.db import migrations

from contacts_app.core.history.indexes import IndexHistory


class Migration(migrations.Migration):
    dependencies = [
        ('contacts_app', '0007_what_lasts'),
    ]

    operations = [
        IndexHistory(
            plain=[
                "historicalaccount",
                "historicalnotificationpreference",
                "historicalsecondfactor",
            ],
            of_accounts=[
                "historicalaccountgroup",
                "historicalextension",
                "historicalnotificationcontact",
                "historicaluser",
                "historicalapitoken",
            ],
        ),
    ]
