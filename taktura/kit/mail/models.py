"""Mails to be sent, in the transaction of what they tell of, and the servers that take them."""

from typing import Any

from django.db import models
from django.db.models import Q

# waiting: to be tried at `next_at` · sending: handed to a server that has not answered yet · sent: taken by the server
# failed: refused for good, or too often · unknown: perhaps taken, the answer was lost · caught: there is no server
# given_up: failed or unknown, and somebody has looked at it and wants no other try
STATES = ("waiting", "sending", "sent", "failed", "unknown", "caught", "given_up")
AUTOMATIC = ("auto-generated", "auto-replied", "")
SECURITY = ("none", "starttls", "tls")


class MailServer(models.Model):
    """An SMTP server. `key`: whose mails go over it, "seller:1"; an empty key is for all that have no other."""

    key = models.CharField(max_length=50, unique=True, blank=True)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField(default=587)
    security = models.CharField(max_length=10, default="starttls", choices=[(s, s) for s in SECURITY])
    user = models.CharField(max_length=200, blank=True)
    password = models.TextField(blank=True, help_text="sealed")
    from_address = models.EmailField()
    from_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(security__in=SECURITY), name="mail_security"),
            models.CheckConstraint(condition=Q(port__gte=1, port__lte=65535), name="mail_port"),
        ]


class OutgoingMail(models.Model):
    """A mail to one recipient. Its message id is fixed before it is sent, so that a repeated one can be recognised.

    `about` names what it brings ("document:12"); `sender` is the key of the server. `automatic` is what its header
    Auto-Submitted says; empty for what a person wrote. `thread`: the message ids of the mails that it answers, the
    last one last.
    """

    message_id = models.CharField(max_length=200, unique=True)
    sender = models.CharField(max_length=50, blank=True)
    recipient = models.EmailField(max_length=320)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    kind = models.CharField(max_length=40, blank=True)
    about = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=2, default="en")
    automatic = models.CharField(max_length=20, blank=True, default="auto-generated")
    reply_to = models.EmailField(max_length=320, blank=True)
    thread: Any = models.JSONField(default=list)
    state = models.CharField(max_length=10, default="waiting")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="mail_state"),
            models.CheckConstraint(condition=Q(automatic__in=AUTOMATIC), name="mail_automatic"),
        ]
        indexes = [
            models.Index(fields=["about"], name="mail_about"),
            models.Index(fields=["next_at"], name="mail_due", condition=Q(state__in=["waiting", "sending"])),
            models.Index(fields=["state", "-id"], name="mail_state_id"),
        ]


class MailAttachment(models.Model):
    """A file that goes with a mail."""

    mail = models.ForeignKey(OutgoingMail, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
