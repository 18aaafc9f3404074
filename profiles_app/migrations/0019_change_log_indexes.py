from django.db import migrations

from contacts_app.core.history.indexes import IndexHistory


class Migration(migrations.Migration):
    dependencies = [
        ('contacts_app', '0008_change_log_indexes'),
        ('profiles_app', '0018_own_revisions_by_age'),
    ]

    operations = [
        IndexHistory(
            plain=[
                "historicalsubscription",
                "historicallistenerfilter",
                "historicaloptout",
                "historicalmyaccountprofilegroup",
                "historicalcustomerprofile",
                "historicalratetable",
                "historicalrate",
                "historicalnumberrouting",
                "historicalstocknumber",
                "historicalphoneprofile",
            ],
            of_accounts=[
                "historicaleventprofile",
                "historicalcallback",
                "historicallistener",
                "historicalmessagingprofile",
                "historicalnumberlease",
                "historicalmessagegateway",
                "historicalmyaccountprofile",
                "historicaloutboundvoiceprofile",
                "historicalsipconnection",
                "historicalsipcontrolapp",
                "historicalnumberorder",
                "historicalphonetemplate",
                "historicalkeylayout",
                "historicalline",
            ],
        ),
    ]
