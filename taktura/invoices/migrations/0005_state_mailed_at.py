from django.db import migrations, models

FILL = """
UPDATE invoices_documentstate s SET mailed_at = m.at FROM (
    SELECT substr(about, 10)::bigint AS document_id, max(created_at) AS at FROM mail_outgoingmail
    WHERE about ~ '^document:[0-9]+$' GROUP BY 1
) m WHERE m.document_id = s.document_id
"""


class Migration(migrations.Migration):
    """Lists know which documents were sent by mail."""

    dependencies = [("invoices", "0004_state_issued_at"), ("mail", "0001_initial")]
    operations = [
        migrations.AddField(
            "documentstate",
            "mailed_at",
            models.DateTimeField(null=True, help_text="when its last mail was put into the outbox"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
