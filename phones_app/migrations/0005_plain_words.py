"""Fields under the names of the glossary (docs/glossary.md)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts_app", "0002_plain_words"), ("profiles_app", "0002_plain_words"), ("phones_app", "0004_true_evidence")]
    operations = [
        migrations.RenameField("Phone", "missed_looks", "missed_checks"),
        migrations.RenameField("Phone", "next_look_at", "next_check_at"),
        # The index follows its column in the database.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name='phone',
                    name='phone_look_due',
                ),
                migrations.AddIndex(
                    model_name='phone',
                    index=models.Index(condition=models.Q(('is_active', True), ('phone_ip__isnull', False)), fields=['next_check_at'], name='phone_look_due'),
                ),
            ]
        ),
        migrations.AlterField(
            model_name='phone',
            name='presence',
            field=models.CharField(choices=[('never', 'Never checked'), ('reachable', 'Reachable'), ('unreachable', 'Unreachable'), ('another', 'Another phone there')], default='never', editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name='rollout',
            name='unchanged',
            field=models.PositiveIntegerField(default=0, help_text='Phones skipped: they have this file.'),
        ),
    ]
