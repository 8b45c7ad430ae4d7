from django.db import migrations

from taktura.kit.immutable import append_only, closed_with, made_in

TABLES = ("invoices_document", "invoices_documentline", "invoices_documenttax", "invoices_documentreference", "invoices_payment")
CHILDREN = ("invoices_documentline", "invoices_documenttax", "invoices_documentreference")


class Migration(migrations.Migration):
    """Issued documents are only appended to, and only by the transaction that issues them."""

    dependencies = [("invoices", "0001_initial")]
    operations = [
        migrations.RunSQL(made_in("invoices_document")),
        *[migrations.RunSQL(append_only(table)) for table in TABLES],
        *[migrations.RunSQL(closed_with(table, "invoices_document", "document_id")) for table in CHILDREN],
    ]
