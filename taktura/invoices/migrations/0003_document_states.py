import django.db.models.deletion
from django.db import migrations, models


# What is open is the gross less payments and the credit notes that correct only this invoice.
FILL = """
INSERT INTO invoices_documentstate (document_id, seller_id, kind, number, customer_id, contract_id, issued_on, due_on,
    language, currency, net, gross, open, payment)
SELECT id, seller_id, kind, number, customer_id, contract_id, issued_on, due_on, language, currency, net, gross, left_of,
    CASE WHEN kind <> 'invoice' THEN '' WHEN left_of <= 0 AND payments = 0 AND gross > 0 THEN 'credited'
        WHEN left_of <= 0 THEN 'paid' WHEN payments > 0 THEN 'partly_paid' ELSE 'open' END
FROM (
    SELECT d.*, COALESCE(p.payments, 0) AS payments,
        CASE WHEN d.kind = 'invoice' THEN d.gross - COALESCE(p.paid, 0) - COALESCE(n.credited, 0) ELSE 0 END AS left_of
    FROM invoices_document d
    LEFT JOIN (
        SELECT document_id, count(*) AS payments, sum(amount) AS paid FROM invoices_payment GROUP BY 1
    ) p ON p.document_id = d.id
    LEFT JOIN (
        SELECT one.corrects_id, sum(note.gross) AS credited FROM (
            SELECT document_id, min(corrects_id) AS corrects_id FROM invoices_documentreference
            GROUP BY 1 HAVING count(*) = 1
        ) one JOIN invoices_document note ON note.id = one.document_id AND note.kind = 'credit_note' GROUP BY 1
    ) n ON n.corrects_id = d.id
) x
"""


class Migration(migrations.Migration):
    """The read model of lists of documents, filled for those there are."""

    dependencies = [
        ('contracts', '0002_pauses_apart'),
        ('customers', '0002_seller_second_factor'),
        ('invoices', '0002_issued_never_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='DocumentState',
            fields=[
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='state', serialize=False, to='invoices.document')),
                ('kind', models.CharField(max_length=20)),
                ('number', models.CharField(max_length=60)),
                ('issued_on', models.DateField()),
                ('due_on', models.DateField(null=True)),
                ('language', models.CharField(max_length=2)),
                ('currency', models.CharField(max_length=3)),
                ('net', models.BigIntegerField()),
                ('gross', models.BigIntegerField()),
                ('open', models.BigIntegerField()),
                ('payment', models.CharField(blank=True, help_text='open, partly_paid, paid or credited', max_length=12)),
                ('contract', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='document_states', to='contracts.contract')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='document_states', to='customers.customer')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='customers.seller')),
            ],
            options={
                'indexes': [models.Index(fields=['seller', 'issued_on', 'document'], name='state_issued'), models.Index(fields=['seller', 'number'], name='state_number'), models.Index(condition=models.Q(('payment__in', ['open', 'partly_paid'])), fields=['seller', 'due_on', 'document'], name='state_unpaid')],
                'constraints': [models.CheckConstraint(condition=models.Q(('payment__in', ['', 'open', 'partly_paid', 'paid', 'credited'])), name='state_payment')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
