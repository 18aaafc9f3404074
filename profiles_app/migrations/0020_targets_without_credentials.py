import re

from django.db import migrations
from django.db.models import Q

# "Name (user:password@host)": what stands in front of the host.
CREDENTIALS = re.compile(r'(?<=\()[^()\s]*@(?=[^()]*\)$)')


def without_credentials(apps, schema_editor):
    """What callbacks are found by stood with the user name and password of their URL, which is encrypted elsewhere."""
    callback, history = (apps.get_model('profiles_app', name) for name in ('Callback', 'HistoricalCallback'))
    of_web = Q(mode__in=('HTTPS', 'HTTP'))
    for row in callback.objects.filter(of_web, target__contains='@').only('target'):
        callback.objects.filter(pk=row.pk).update(target=_without(row.target))
    known = Q(target__contains='@') | Q(history_name__contains='@') | Q(history_changes__has_key='target')
    for row in history.objects.filter(of_web & known).only('target', 'history_name', 'history_changes'):
        changes = dict(row.history_changes or {})
        if 'target' in changes:
            changes['target'] = [_without(each) if isinstance(each, str) else each for each in changes['target']]
        history.objects.filter(pk=row.pk).update(
            target=_without(row.target), history_name=CREDENTIALS.sub('', row.history_name), history_changes=changes
        )


def _without(target):
    return target.rpartition('@')[2]


class Migration(migrations.Migration):
    dependencies = [('profiles_app', '0019_change_log_indexes')]

    operations = [migrations.RunPython(without_credentials, migrations.RunPython.noop)]
