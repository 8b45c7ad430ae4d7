from django.db import migrations, models


class Migration(migrations.Migration):
    """Changes of quantity can be taken back, and notice of one line."""

    dependencies = [("contracts", "0006_coupon_codes")]
    operations = [
        migrations.AddField("linequantity", "taken_back_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "contractline", "notice_received", models.DateField(help_text="of this line alone", null=True)
        ),
        migrations.AddField(
            "contractline",
            "agreed_end",
            models.DateField(help_text="the end that it had before notice was given", null=True),
        ),
    ]
