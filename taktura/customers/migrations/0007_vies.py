import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """What VIES says of VAT ids, where a seller wants it to be asked."""

    dependencies = [("customers", "0006_order_page")]
    operations = [
        migrations.AddField(
            "seller",
            "vies",
            models.BooleanField(
                default=False, help_text="VIES is asked whether VAT ids of customers are confirmed"
            ),
        ),
        migrations.CreateModel(
            name="VatCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vat_id", models.CharField(max_length=20)),
                ("state", models.CharField(max_length=10)),
                ("identifier", models.CharField(blank=True, max_length=50)),
                ("asked_at", models.DateTimeField()),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.seller"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(state__in=["confirmed", "refused", "unanswered"]), name="vat_check_state"
                    )
                ],
                "indexes": [models.Index(fields=["seller", "vat_id", "id"], name="vat_check_of")],
            },
        ),
    ]
