from django.db import migrations

from taktura.kit.immutable import append_only, closed_with


class Migration(migrations.Migration):
    """Charges are only appended to, in the transaction that issues their document."""

    dependencies = [("billing", "0001_initial"), ("invoices", "0002_issued_never_changes")]
    operations = [
        migrations.RunSQL(append_only("billing_charge")),
        migrations.RunSQL(closed_with("billing_charge", "invoices_document", "document_id")),
    ]
