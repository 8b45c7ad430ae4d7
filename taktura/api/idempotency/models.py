"""Answers that are given again when a request is repeated."""

from typing import Any

from django.db import models

from taktura.accounts.models import ApiKey


class KeptAnswer(models.Model):
    """The answer to a request that came with an `Idempotency-Key`; written with the request's own effect.

    `request` is the SHA-256 of the method, the address and the body, `body` the answer's, compressed.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="kept_answers")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers: Any = models.JSONField(default=dict)
    body = models.BinaryField()
    kept_at = models.DateTimeField()

    class Meta:
        app_label = "api"
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="kept_answer_key")]
        indexes = [models.Index(fields=["kept_at"], name="kept_answer_at")]
