from django.db import migrations

from taktura.kit.immutable import append_only


class Migration(migrations.Migration):
    """The log is only appended to."""

    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(append_only("audit_logentry"))]
