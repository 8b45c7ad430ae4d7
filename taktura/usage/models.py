"""Suppliers with their customers and subscriptions, imports, usage records and what waits."""

from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.exact import ExactDecoder
from taktura.kit.fields import ExactField


class Supplier(models.Model):
    """Whose usage files are loaded. `mapping`: {our column: the file's heading}, or the reader's nested form.

    `contact`, `email`, `phone`: whom one asks about its files and invoices; nothing is sent there by itself.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="suppliers")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    create_customers = models.BooleanField(default=False)
    create_subscriptions = models.BooleanField(default=False)
    unit_price_from_import = models.BooleanField(default=False)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=50)
    mapping: Any = models.JSONField(default=dict)
    folder = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="below the operator's: watched for its files"
    )
    contact = models.CharField(max_length=200, blank=True, default="", db_default="")
    email = models.CharField(max_length=200, blank=True, default="", db_default="")
    phone = models.CharField(max_length=50, blank=True, default="", db_default="")
    ids_as_written = models.BooleanField(default=False, db_default=False, help_text="see FormerId")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="supplier_key"),
            models.UniqueConstraint(fields=["folder"], name="supplier_folder", condition=~Q(folder="")),
        ]


class WatchedFile(models.Model):
    """A file of a supplier's folder as it was seen last (`changed` in nanoseconds): whole, when it stays so until the
    next look. `loaded`, or not (`why`): what is left is to move it."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="watched_files")
    name = models.CharField(max_length=300)
    size = models.BigIntegerField()
    changed = models.BigIntegerField()
    seen_at = models.DateTimeField()
    loaded = models.BooleanField(default=False)
    why = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "name"], name="watched_file")]


class MappingVersion(models.Model):
    """A mapping that a supplier had, from an instant on; the one with the highest number is the present one."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="mapping_versions")
    number = models.PositiveIntegerField()
    mapping: Any = models.JSONField()
    since = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "number"], name="mapping_version")]


class SupplierCustomer(models.Model):
    """A customer as the supplier knows it; for overview only. `reference` is unique without regard to case."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="supplier_customers")
    reference = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    name = models.CharField(max_length=300, blank=True)
    told_day = models.DateField(null=True, help_text="the latest day of which an import told")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="supplier_customers")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "folded"], name="supplier_customer_reference")]


class SupplierSubscription(models.Model):
    """The supplier's own record of what a customer has from it; tied to a contract line, its usage is billed there."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="subscriptions")
    reference = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    customer_reference = models.CharField(max_length=200, blank=True)
    customer_folded = models.CharField(max_length=200, blank=True, default="", db_default="")
    name = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    start = models.DateField(null=True)
    end = models.DateField(null=True, help_text="the last day, as suppliers print it")
    product = models.CharField(max_length=200, blank=True)
    product_name = models.CharField(max_length=300, blank=True)
    unit = models.CharField(max_length=100, blank=True)
    quantity = ExactField(null=True)
    told_day = models.DateField(null=True, help_text="the latest day of which an import told")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "folded"], name="supplier_subscription_reference")]
        indexes = [models.Index(fields=["supplier", "customer_folded"], name="supplier_subscription_of")]


class SubscriptionLink(models.Model):
    """A supplier subscription tied to a contract line; where several lines carry it, the product tells them apart.

    `[first, end)`: the days on which usage begins that it holds for, where the subscription was moved from one line to
    another; without them it holds always.
    """

    subscription = models.ForeignKey(SupplierSubscription, on_delete=models.CASCADE, related_name="links")
    line = models.ForeignKey(ContractLine, on_delete=models.CASCADE, related_name="subscription_links")
    first = models.DateField(null=True)
    end = models.DateField(null=True, help_text="exclusive")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "line", "first"], name="subscription_link", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(first__isnull=True) | Q(end__isnull=True) | Q(end__gt=models.F("first")),
                name="subscription_link_days",
            ),
        ]


class ProductReference(models.Model):
    """The article that a supplier's product stands for."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="product_references")
    product = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    article = models.ForeignKey(Article, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "folded"], name="product_reference")]


class UsageFile(models.Model):
    """A file as it was received, unchanged; the same content twice is refused.

    It is kept before it is read: `read_at` says when its rows were taken in, all of them in one step (0023).
    `mapping` is what it was read by. `skipped` rows were left out by a condition of it, `merged` are further legs of
    calls. `undone_at`: its records were taken out again; it may be loaded once more. `emptied_at`: its content was
    removed, for the sake of the telephone numbers in it (`store.numbers`); its digest still tells it from others.
    """

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    received_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="none: it is kept, and nothing of it was taken in yet")
    rows = models.PositiveIntegerField(default=0)
    recorded = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    mapping: Any = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    has_calls = models.BooleanField(default=False, db_default=False, help_text="telephone numbers stand in it")
    emptied_at = models.DateTimeField(null=True)
    first_day = models.DateField(null=True)
    end_day = models.DateField(null=True, help_text="exclusive; the days that its rows cover")
    ids_as_written = models.BooleanField(default=False, db_default=False, help_text="see FormerId")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "sha256"], name="usage_file_content")]
        indexes = [models.Index(fields=["supplier", "received_at"], name="usage_file_received")]


ORIGINS = ("folder", "mail", "office", "api")


class SupplierProduct(models.Model):
    """How a supplier writes a product that its rows name, in its last import; they are compared folded."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="products")
    folded = models.CharField(max_length=200)
    product = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "folded"], name="supplier_product")]


class FormerId(models.Model):
    """The id by which a row is stored that an earlier version read, and the one that it has now: its key was made of
    dates as they were written. `ids_as_written` of a supplier: it has such rows; of a file: its rows are not noted here
    yet, which is done when another file of these days comes (`services.former`)."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="former_ids")
    external_id = models.CharField(max_length=300)
    stored_as = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "external_id"], name="usage_former_id")]


class RefusedFile(models.Model):
    """A file that came while nobody looked on and was not taken in, and why: `text` with its `values`, as a refusal.

    `origin`: a watched folder, a mail, or an upload that was read in the background (`office`, `api`). `file`: the one
    that is kept, itself or the one that it repeats. It is looked at until somebody settles it, or a file of this name
    is loaded.
    """

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="refused_files")
    name = models.CharField(max_length=300)
    size = models.BigIntegerField()
    origin = models.CharField(max_length=10)
    at = models.DateTimeField()
    code = models.CharField(max_length=40)
    text = models.TextField()
    values: Any = models.JSONField(default=dict)
    file = models.ForeignKey(UsageFile, null=True, on_delete=models.SET_NULL, related_name="refusals")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(origin__in=ORIGINS), name="refused_file_origin"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by="") | Q(settled_at__isnull=False),
                name="refused_file_settled",
            ),
        ]
        indexes = [
            models.Index(fields=["supplier", "name"], name="refused_file_open", condition=Q(settled_at__isnull=True)),
            models.Index(fields=["supplier", "at"], name="refused_file_at"),
        ]


class ReferenceChange(models.Model):
    """What an import changed of a supplier's customer or subscription, known by `folded`; only appended to.

    `changes`: {field: [before, after]}; `made`: it was not known before. `day`: the day of which the import told.
    `kept`: {field: [kept, told]}, what an import of an earlier day told otherwise than was known already of a later
    one. Without a `file` the rows came by the API.
    """

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="reference_changes")
    kind = models.CharField(max_length=20)
    folded = models.CharField(max_length=200)
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    file = models.ForeignKey(UsageFile, null=True, on_delete=models.SET_NULL, related_name="reference_changes")
    made = models.BooleanField(default=False)
    changes: Any = models.JSONField(decoder=ExactDecoder)
    day = models.DateField(null=True)
    kept: Any = models.JSONField(default=dict, db_default={}, decoder=ExactDecoder)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=("customer", "subscription")), name="reference_change_kind")
        ]
        indexes = [models.Index(fields=["supplier", "kind", "folded", "id"], name="reference_change_of")]


class FileProblem(models.Model):
    """A row of a file that could not be read, or that conflicts with a stored one. `places`: more for its sentence."""

    file = models.ForeignKey(UsageFile, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField(null=True)
    code = models.CharField(max_length=40)
    column = models.CharField(max_length=100, blank=True)
    value = models.TextField(blank=True)
    text = models.TextField()
    places: Any = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["file", "line", "id"], name="usage_problem_line")]


class SupplierInvoice(models.Model):
    """What a supplier charges for `[first, end)`, by its own document: held against the rows imported for these days.

    `net` is exact, in units of the currency; below zero it is a credit note. `folded`: the number as it is compared.
    Its file is kept as it came. What was corrected or removed stands in the log.
    """

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=100)
    folded = models.CharField(max_length=100)
    day = models.DateField()
    first = models.DateField()
    end = models.DateField(help_text="exclusive")
    net = ExactField()
    currency = models.CharField(max_length=3)
    note = models.TextField(blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    file_type = models.CharField(max_length=100, blank=True)
    content = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "folded"], name="supplier_invoice_number"),
            models.CheckConstraint(condition=Q(end__gt=models.F("first")), name="supplier_invoice_days"),
            models.CheckConstraint(
                condition=Q(content__isnull=True, file_name="", file_type="")
                | (Q(content__isnull=False) & ~Q(file_name="") & ~Q(file_type="")),
                name="supplier_invoice_file",
            ),
        ]
        indexes = [models.Index(fields=["supplier", "first"], name="supplier_invoice_first")]


class UsageRecord(models.Model):
    """One usage record in its current revision. A seller's (source, external_id) is unique over all time (R6.1).

    `line` is set when it found its contract line. `sent_to` keeps the key of a contract that there was not. `[day,
    end_day)` are local days; `is_span`: quantity and cost are split over them. `seconds` are raw, the tick comes when
    they are summed. `revised` counts up over all records: the store's mark.
    """

    # What these five point to is checked once for each statement (`kit.foreign_keys`), not for each row.
    seller = models.ForeignKey(
        Seller, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="usage_records"
    )
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=300)
    revision = models.IntegerField(default=1)
    digest = models.CharField(max_length=32, help_text="of the content, to tell a duplicate from a conflict")
    revised = models.BigIntegerField()
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    line = models.ForeignKey(ContractLine, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    article = models.CharField(max_length=100, blank=True, help_text="the article or key it was sent for")
    by_key = models.BooleanField(default=False)
    supplier = models.ForeignKey(Supplier, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    subscription = models.CharField(max_length=200, blank=True)
    product = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    day = models.DateField()
    end_day = models.DateField()
    is_span = models.BooleanField(default=False)
    quantity = ExactField(null=True)
    seconds = models.BigIntegerField(null=True)
    cost_amount = ExactField(null=True)
    amount = ExactField(null=True)
    discount = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="taken off in its amounts: “10%”, or money"
    )
    currency = models.CharField(max_length=3, blank=True)
    priced = models.BooleanField(default=False, help_text="its amount is the price (unit_price_from_import)")
    attributes: Any = models.JSONField(null=True)
    numbers: Any = models.JSONField(null=True, help_text="which of its attributes are telephone numbers in the clear")
    file = models.ForeignKey(UsageFile, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    row = models.PositiveIntegerField(null=True)
    sent_to = models.CharField(max_length=100, blank=True, default="", db_default="")
    rate_day = models.DateField(null=True, help_text="of the rate by which its amounts are converted")
    rate_over = ExactField(null=True)
    rate_under = ExactField(null=True, help_text="amounts × rate_over ÷ rate_under are in the currency rate_to")
    rate_to = models.CharField(max_length=3, null=True)  # noqa: DJ001 - none, and not an empty one

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_day=None, rate_over=None, rate_under=None, rate_to=None)
                | Q(rate_day__isnull=False, rate_over__gt=0, rate_under__gt=0, rate_to__isnull=False),
                name="usage_with_rate",
            ),
            models.UniqueConstraint(fields=["seller", "source", "external_id"], name="usage_identity"),
            models.CheckConstraint(condition=Q(end_day__gt=models.F("day")), name="usage_days"),
            models.CheckConstraint(condition=Q(seconds__isnull=True) | Q(seconds__gte=0), name="usage_seconds"),
        ]
        indexes = [
            models.Index(fields=["line", "day"], name="usage_line_day", condition=Q(line__isnull=False)),
            models.Index(fields=["line", "end_day"], name="usage_line_span", condition=Q(is_span=True)),
            models.Index(fields=["line", "day"], name="usage_line_foreign", condition=Q(rate_day__isnull=False)),
            # For lists: what came last in time; what waits of a subscription or contract; what came with a key; and,
            # small as it is and cheap to write, where the rows of a file, or of a supplier's days, lie.
            models.Index(fields=["seller", "day", "id"], name="usage_seller_day"),
            models.Index(fields=["supplier", "subscription"], name="usage_waiting", condition=Q(line__isnull=True)),
            models.Index(fields=["contract"], name="usage_waiting_contract", condition=Q(line__isnull=True)),
            models.Index(fields=["seller", "article", "day"], name="usage_key_day", condition=Q(by_key=True)),
            models.Index(fields=["seller", "day"], name="usage_numbers", condition=Q(numbers__isnull=False)),
            BrinIndex(fields=["file", "supplier", "day", "end_day"], name="usage_file_rows", pages_per_range=16),
        ]


class ExchangeRate(models.Model):
    """What one unit of a currency (`base`) is worth in another (`quote`) on a day: a seller's own register (R17)."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, db_index=False, related_name="exchange_rates")
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    day = models.DateField()
    rate = ExactField()
    source = models.CharField(max_length=100)
    changed_at = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "base", "quote", "day"], name="exchange_rate"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="usage_rate_above_zero"),
            models.CheckConstraint(condition=~Q(base=models.F("quote")), name="exchange_rate_of_two"),
        ]
        indexes = [
            models.Index(fields=["seller", "quote", "day"], name="exchange_rate_quote"),
            models.Index(fields=["seller", "-day", "base", "quote"], name="exchange_rate_day"),
        ]


class UsageDay(models.Model):
    """How many records begin on a day, and how many of them found their line. Written by triggers alone (`days`)."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, db_index=False, related_name="usage_days")
    day = models.DateField()
    records = models.BigIntegerField()
    recorded = models.BigIntegerField(help_text="those that found their contract line")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "day"], name="usage_day")]


class UsageMark(models.Model):
    """A contract with something under watch (R19) whose usage on days of `[first, end)` has changed, last at `at`.

    Written with the usage, a row for each contract, however many records; taken away by who has looked (`marks`).
    """

    contract = models.OneToOneField(Contract, primary_key=True, on_delete=models.CASCADE, related_name="usage_mark")
    first = models.DateField()
    end = models.DateField()
    at = models.DateTimeField()


class UsageHistory(models.Model):
    """A revision that was replaced or withdrawn, as it was: `record` holds its columns. Only appended to."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="usage_history")
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=300)
    revision = models.IntegerField()
    line = models.BigIntegerField(null=True, db_index=True)
    revised = models.BigIntegerField(help_text="the mark at which it came")
    replaced = models.BigIntegerField(help_text="the mark at which it was replaced or withdrawn")
    withdrawn = models.BooleanField(default=False)
    replaced_at = models.DateTimeField()
    record: Any = models.JSONField(decoder=ExactDecoder)

    class Meta:
        indexes = [models.Index(fields=["seller", "source", "external_id"], name="usage_history_of")]


class UsageException(models.Model):
    """What of a record waits, and why (R6.5): all of it, or the days of it that lie outside its line's life."""

    record = models.ForeignKey(UsageRecord, on_delete=models.CASCADE, related_name="exceptions")
    reason = models.CharField(max_length=20)
    first = models.DateField()
    end = models.DateField()
    since = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end__gt=models.F("first")), name="usage_exception_days")]
        indexes = [models.Index(fields=["reason"], name="usage_exception_reason")]
