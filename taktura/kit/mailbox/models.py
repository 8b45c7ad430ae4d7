"""Mailboxes that are looked into by IMAP, and what became of each mail in them."""

from typing import Any

from django.db import models
from django.db.models import Q

SECURITY = ("none", "starttls", "tls")
STRANGERS = ("ignore", "leave", "collect")
# taken: it caused what it was to · ignored: it is none of ours (sent by a machine, by a stranger, too old, known)
# refused: it was ours, and nothing could be taken from it · waiting: a person must say what becomes of it
# failed: a fault of the program; it is tried again some times, and lies in its folder
STATES = ("taken", "ignored", "refused", "waiting", "failed")


class Mailbox(models.Model):
    """A folder of an IMAP account. `owner`: whose it is ("seller:1"). `purpose`: who handles its mails, a word that the
    rooms above know; `target`: what they are for ("supplier:3"), or where they go ("queue:7").

    `senders`: from whom mails are wanted, addresses or "@domain"; empty for everybody. `strangers`: what its handler
    does with mails of addresses that it does not know ("ignore", "leave" them in their folder, "collect" them for a
    person). `not_before`: mails that came before that day stay where they are.
    """

    owner = models.CharField(max_length=50)
    purpose = models.CharField(max_length=20)
    target = models.CharField(max_length=50, blank=True)
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField(default=993)
    security = models.CharField(max_length=10, default="tls", choices=[(s, s) for s in SECURITY])
    user = models.CharField(max_length=200)
    password = models.TextField(blank=True, help_text="sealed")
    folder = models.CharField(max_length=200, default="INBOX")
    archive = models.CharField(max_length=200, default="Archive")
    not_before = models.DateField()
    senders: Any = models.JSONField(default=list)
    strangers = models.CharField(max_length=10, default="ignore")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="looks that failed since the last that went well")
    error: Any = models.JSONField(default=list, help_text="a message and its values: why the last look failed")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["host", "user", "folder"], name="mailbox_once"),
            models.CheckConstraint(condition=Q(security__in=SECURITY), name="mailbox_security"),
            models.CheckConstraint(condition=Q(port__gte=1, port__lte=65535), name="mailbox_port"),
            models.CheckConstraint(condition=~Q(folder=models.F("archive")), name="mailbox_archive"),
            models.CheckConstraint(condition=Q(strangers__in=STRANGERS), name="mailbox_strangers"),
        ]


class IncomingMail(models.Model):
    """A mail that was looked at, written in the transaction of what it caused.

    The server knows it by `validity` and `uid`; `identity` is its message id, or the hash of its bytes where it has
    none. `said`: the verdict, messages each with its values. `about` names what it caused ("usage_file:12").
    `archived_at`: when it was moved; None while it lies in its folder. `content` is kept of one that waits.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="mails")
    validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    identity = models.CharField(max_length=1000)
    sender = models.CharField(max_length=320, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10)
    said: Any = models.JSONField(default=list)
    about: Any = models.JSONField(default=list)
    content = models.BinaryField(null=True)
    attempts = models.PositiveIntegerField(default=1)
    looked_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    stays = models.BooleanField(default=False, help_text="it is not moved: too old, failed, or left there")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "validity", "uid"], name="incoming_uid"),
            models.UniqueConstraint(
                fields=["mailbox", "identity"], name="incoming_once", condition=Q(state__in=["taken", "waiting"])
            ),
            models.CheckConstraint(condition=Q(state__in=STATES), name="incoming_state"),
            models.CheckConstraint(condition=Q(content__isnull=True) | Q(state="waiting"), name="incoming_content"),
        ]
        indexes = [
            models.Index(fields=["mailbox", "-id"], name="incoming_list"),
            models.Index(fields=["mailbox", "identity"], name="incoming_identity"),
            models.Index(
                fields=["mailbox"], name="incoming_to_move", condition=Q(archived_at__isnull=True, stays=False)
            ),
        ]
