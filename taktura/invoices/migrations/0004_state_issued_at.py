from django.db import migrations, models

FILL = """
UPDATE invoices_documentstate s SET issued_at = d.issued_at FROM invoices_document d WHERE d.id = s.document_id
"""


class Migration(migrations.Migration):
    """Lists know the instant of issue: all that one run issues has the same."""

    dependencies = [("invoices", "0003_document_states")]
    operations = [
        migrations.AddField("documentstate", "issued_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            "documentstate",
            "issued_at",
            models.DateTimeField(help_text="all that one run issues has one instant"),
        ),
    ]
