"""The log: who changed what and when, chained by hashes. It is only ever appended to."""

from django.db import models


class LogEntry(models.Model):
    """One entry: `hash` covers its content and the hash of the entry before it."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True, db_index=True)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]
