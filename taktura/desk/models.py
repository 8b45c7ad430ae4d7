"""Tickets, their messages, worked time, and included hours."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from taktura.accounts.models import User
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.fields import ExactField

STATUSES = ("open", "waiting", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
CHANNELS = ("office", "portal", "api", "mail")


class DeskSettings(models.Model):
    """How a seller's desk works; without a row all is as the defaults say."""

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="desk_settings")
    own_approval = models.BooleanField(default=False, help_text="who worked may approve the time")
    receipts = models.BooleanField(default=False, help_text="who opens a ticket by mail is told that it arrived")
    reply_to = models.EmailField(blank=True, help_text="where customers answer to: the address of the mailbox")


class Queue(models.Model):
    """Where tickets wait for somebody."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="queues")
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "name"], name="queue_name")]


class Activity(models.Model):
    """What is done in time: on site, travel, by telephone. `billable`: unless it is said otherwise."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="activities")
    name = models.CharField(max_length=100)
    billable = models.BooleanField(default=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "name"], name="activity_name")]


class Ticket(models.Model):
    """What a customer asks for. `number` is the seller's own; `line`: the contract line that it is about.

    `folded` is what a search looks at. A merged ticket is closed, and names the one that goes on.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="tickets")
    number = models.PositiveIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tickets")
    line = models.ForeignKey(ContractLine, null=True, on_delete=models.PROTECT, related_name="tickets")
    subject = models.CharField(max_length=300)
    status = models.CharField(max_length=10, default="open")
    priority = models.CharField(max_length=10, default="normal")
    queue = models.ForeignKey(Queue, null=True, on_delete=models.PROTECT, related_name="tickets")
    assignee = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="tickets")
    channel = models.CharField(max_length=10, default="office")
    requester_name = models.CharField(max_length=200, blank=True)
    requester_email = models.EmailField(blank=True)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, help_text="when staff first answered")
    solved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    follows = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="followed_by", help_text="a closed one was answered"
    )
    folded = models.CharField(max_length=700, default="")
    # What service levels ask (`levels`): of the solution either when it is due, or, while the clock is stopped in time,
    # what is left. `due_at`: the next that staff has to keep, for lists.
    answer_due_at = models.DateTimeField(null=True)
    solve_due_at = models.DateTimeField(null=True)
    solve_left = models.DurationField(null=True, help_text="business time")
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(solve_due_at__isnull=True) | Q(solve_left__isnull=True), name="ticket_clock_runs_or_stands"
            ),
            models.UniqueConstraint(fields=["seller", "number"], name="ticket_number"),
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="ticket_status"),
            models.CheckConstraint(condition=Q(priority__in=PRIORITIES), name="ticket_priority"),
            models.CheckConstraint(condition=Q(channel__in=CHANNELS), name="ticket_channel"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(status="closed"), name="ticket_merged_is_closed"
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "status", "changed_at", "id"], name="ticket_list"),
            models.Index(fields=["seller", "changed_at", "id"], name="ticket_by_change"),
            models.Index(fields=["customer", "id"], name="ticket_of_customer"),
            models.Index(fields=["assignee", "status"], name="ticket_of_assignee"),
            models.Index(fields=["seller", "due_at", "id"], name="ticket_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["seller", "opened_at", "id"], name="ticket_by_opening"),
            models.Index(
                "seller", Lower("requester_email"), name="ticket_of_requester", condition=~Q(requester_email="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"


class TicketMessage(models.Model):
    """What was said on a ticket: by the `customer`, by `staff`, or a `note` that only staff see.

    `reference` is the Message-ID of the mail that it came by, or went out by. `left_out`: why files of it are not among
    its attachments, messages each with its values.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10)
    author = models.CharField(max_length=200)
    text = models.TextField()
    reference = models.CharField(max_length=300, blank=True)
    left_out: Any = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["customer", "staff", "note"]), name="ticket_message_kind")
        ]
        indexes = [models.Index(fields=["reference"], name="ticket_message_ref", condition=~Q(reference=""))]


class TicketAttachment(models.Model):
    """A file that came with a message. `type` is told by its name alone; `size` in bytes."""

    message = models.ForeignKey(TicketMessage, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(default=0)
    content = models.BinaryField()

    class Meta:
        ordering = ["id"]


class AnswerTemplate(models.Model):
    """A text from which answers are written, in a language, with places in braces (`templates.PLACES`)."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="answer_templates")
    name = models.CharField(max_length=100)
    language = models.CharField(max_length=2)
    text = models.TextField()

    class Meta:
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "name", "language"], name="answer_template_name"),
            models.CheckConstraint(condition=Q(language__in=["en", "de", "sv"]), name="answer_template_language"),
        ]


class TimeEntry(models.Model):
    """Time that somebody worked, on a ticket or for a customer without one.

    `minutes` as they were logged. On approval the customer's time step and hourly rate are kept with it. That it is
    `billed` is written by billing with the document (a read model for lists; `taktura verify` proves it).
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="time")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.PROTECT, related_name="time")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="time")
    worked_on = models.DateField()
    minutes = models.PositiveIntegerField()
    billable = models.BooleanField(default=True)
    activity = models.ForeignKey(Activity, null=True, on_delete=models.PROTECT, related_name="time")
    note = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, default="submitted")
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=200)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=200, blank=True)
    step = models.PositiveIntegerField(null=True)
    rate = ExactField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=1, minutes__lte=1440), name="time_minutes"),
            models.CheckConstraint(condition=Q(status__in=["submitted", "approved", "billed"]), name="time_status"),
            models.CheckConstraint(
                condition=Q(status="submitted", approved_at__isnull=True, step__isnull=True, rate__isnull=True)
                | ~Q(status="submitted") & Q(approved_at__isnull=False, step__isnull=False, step__gte=1),
                name="time_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="submitted") | Q(billable=False) | Q(rate__isnull=False, rate__gte=0),
                name="time_has_a_rate",
            ),
            models.CheckConstraint(condition=~Q(status="billed") | Q(billable=True), name="time_billed_is_billable"),
        ]
        indexes = [
            models.Index(fields=["status", "worked_on", "id"], name="time_list"),
            models.Index(fields=["customer", "worked_on", "id"], name="time_of_customer"),
            models.Index(fields=["user", "worked_on", "id"], name="time_of_user"),
            models.Index(fields=["worked_on", "id"], name="time_by_day"),
            models.Index(
                fields=["customer", "ticket", "worked_on", "id"], name="time_waiting", condition=Q(status="submitted")
            ),
            models.Index(fields=["customer"], name="time_to_bill", condition=Q(status="approved", billable=True)),
        ]


class RunningTime(models.Model):
    """A timer: one for each user. It runs `since` an instant, or is paused (none); `seconds` were gathered before that.

    `overnight`: it was paused on another day than it went on, so that what it gathered is not to be trusted.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="running_time")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.CASCADE, related_name="+")
    activity = models.ForeignKey(Activity, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    since = models.DateTimeField(null=True)
    seconds = models.PositiveIntegerField(default=0)
    overnight = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(since__gte=models.F("started_at")), name="timer_goes_on_later"
            )
        ]

    @property
    def runs(self) -> bool:
        """Whether it counts now."""
        return self.since is not None


class Allowance(models.Model):
    """Included hours of a customer: `minutes` in all (a block), or in each month, of which the rest is kept or dropped.

    Without `activities` they are for all. `end` is exclusive.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="allowances")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    minutes = models.PositiveIntegerField()
    start = models.DateField()
    end = models.DateField(null=True)
    kept = models.BooleanField(default=False)
    activities: Any = models.ManyToManyField(Activity, related_name="allowances")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["block", "monthly"]), name="allowance_kind"),
            models.CheckConstraint(condition=Q(minutes__gte=1), name="allowance_minutes"),
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gt=models.F("start")), name="allowance_span"),
            models.CheckConstraint(condition=Q(kind="monthly") | Q(kept=False), name="allowance_kept"),
        ]


class TicketPause(models.Model):
    """That a ticket did not wait for staff: it waited for the customer, or was solved. It goes on while `until` is
    empty."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="pauses")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="ticket_pause_span"
            ),
            models.UniqueConstraint(fields=["ticket"], condition=Q(until__isnull=True), name="ticket_pause_open_once"),
        ]


class OpeningHours(models.Model):
    """That a seller's desk works on a weekday (0: Monday) from one minute of the day to another. Without any it works
    around the clock."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField()
    start = models.PositiveSmallIntegerField()
    end = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["weekday", "start"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_weekday"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start"), end__lte=1440), name="opening_span"),
            models.UniqueConstraint(fields=["seller", "weekday", "start"], name="opening_once"),
        ]


class Holiday(models.Model):
    """A day on which a seller's desk does not work."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["seller", "day"], name="holiday_once")]


class ServiceTarget(models.Model):
    """Within how many minutes of business time tickets of a priority are answered for the first time, and solved."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="service_targets")
    priority = models.CharField(max_length=10)
    answer = models.PositiveIntegerField(null=True)
    solve = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(priority__in=PRIORITIES), name="service_target_priority"),
            models.CheckConstraint(condition=Q(answer__isnull=True) | Q(answer__gte=1), name="service_target_answer"),
            models.CheckConstraint(condition=Q(solve__isnull=True) | Q(solve__gte=1), name="service_target_solve"),
            models.UniqueConstraint(fields=["seller", "priority"], name="service_target_once"),
        ]
