from django.db import migrations

from taktura.kit.immutable import append_only


class Migration(migrations.Migration):
    """The store's mark counts by a sequence; replaced and withdrawn revisions are only appended."""

    dependencies = [("usage", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            CREATE SEQUENCE usage_mark;
            ALTER TABLE usage_usagerecord ALTER COLUMN revised SET DEFAULT nextval('usage_mark');
            """
        ),
        migrations.RunSQL(append_only("usage_usagehistory")),
    ]
