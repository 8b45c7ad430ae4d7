"""The table of the buckets from which requests take their tokens (`kit.limits`)."""

from django.db import models


class Bucket(models.Model):
    """When a key's bucket is full again. The table is not logged: after a crash of the server all buckets are full."""

    key = models.BigIntegerField(primary_key=True)
    full_at = models.DateTimeField()

    class Meta:
        app_label = "api"
