from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('phones_app', '0044_room_beside_deployments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(
                condition=models.Q(('channel', 'admin'), ('in_batch', False)),
                fields=['user', '-created_at'],
                name='deployment_of_person',
            ),
        ),
    ]
