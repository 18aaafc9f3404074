"""The indexes of due deployments leave out held ones, so that they no longer match a search for one row by its key.

A row that is found by its key is asked whether it is open, which was the whole condition of the index. Where statistics
say that hardly any row is, PostgreSQL took that index instead of the key's, and read all that were open, again and again.
"""

from django.db import migrations, models
from django.db.models import Q

DUE = Q(finished_at=None, next_attempt_at__isnull=False)


class Migration(migrations.Migration):
    dependencies = [('phones_app', '0046_changed_elsewhere')]

    operations = [
        migrations.RemoveIndex(model_name='deployment', name='deployment_due'),
        migrations.RemoveIndex(model_name='deployment', name='deployment_due_alone'),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['next_attempt_at'], condition=DUE, name='deployment_due'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(
                fields=['next_attempt_at'],
                condition=DUE & (Q(in_batch=False) | ~Q(state='queued')),
                name='deployment_due_alone',
            ),
        ),
    ]
