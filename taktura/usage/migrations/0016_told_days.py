"""Suppliers' customers and subscriptions know of which day an import told last; a tie may hold for some days alone."""

from typing import Any

from django.db import migrations, models

import taktura.kit.exact


def fill_days(apps: Any, schema_editor: Any) -> None:
    """Of what is there already: the latest day of its usage."""
    schema_editor.execute(
        """UPDATE usage_suppliersubscription s SET told_day = x.day FROM (
               SELECT supplier_id, subscription, max(day) AS day FROM usage_usagerecord
               WHERE supplier_id IS NOT NULL GROUP BY 1, 2) x
           WHERE x.supplier_id = s.supplier_id AND x.subscription = s.folded"""
    )
    schema_editor.execute(
        """UPDATE usage_suppliercustomer c SET told_day = x.day FROM (
               SELECT supplier_id, customer_folded, max(told_day) AS day FROM usage_suppliersubscription GROUP BY 1, 2) x
           WHERE x.supplier_id = c.supplier_id AND x.customer_folded = c.folded"""
    )


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0011_conversion'),
        ('usage', '0015_rates'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='subscriptionlink',
            name='subscription_link',
        ),
        migrations.AddField(
            model_name='referencechange',
            name='day',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='referencechange',
            name='kept',
            field=models.JSONField(db_default={}, decoder=taktura.kit.exact.ExactDecoder, default=dict),
        ),
        migrations.AddField(
            model_name='subscriptionlink',
            name='end',
            field=models.DateField(help_text='exclusive', null=True),
        ),
        migrations.AddField(
            model_name='subscriptionlink',
            name='first',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='suppliercustomer',
            name='told_day',
            field=models.DateField(help_text='the latest day of which an import told', null=True),
        ),
        migrations.AddField(
            model_name='suppliersubscription',
            name='told_day',
            field=models.DateField(help_text='the latest day of which an import told', null=True),
        ),
        migrations.AddConstraint(
            model_name='subscriptionlink',
            constraint=models.UniqueConstraint(fields=('subscription', 'line', 'first'), name='subscription_link', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='subscriptionlink',
            constraint=models.CheckConstraint(condition=models.Q(('first__isnull', True), ('end__isnull', True), ('end__gt', models.F('first')), _connector='OR'), name='subscription_link_days'),
        ),
        migrations.RunPython(fill_days, migrations.RunPython.noop),
    ]
