from django.db import migrations

from contacts_app.core.history.indexes import IndexHistory


class Migration(migrations.Migration):
    dependencies = [
        ('contacts_app', '0008_change_log_indexes'),
        ('phones_app', '0041_upgrade_roles'),
        ('profiles_app', '0019_change_log_indexes'),
    ]

    operations = [
        IndexHistory(
            plain=[
                "historicalkeymacro",
                "historicallayerline",
                "historicaldirectoryentry",
                "historicalpersonmobility",
            ],
            of_accounts=[
                "historicalcallmanager",
                "historicalfileserver",
                "historicalphone",
                "historicalphonegroup",
                "historicalsharedfile",
                "historicallayer",
                "historicalfirmware",
                "historicalenrolmentcode",
                "historicalmobilitypolicy",
                "historicalrollout",
            ],
        ),
    ]
