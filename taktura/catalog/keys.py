"""The register of keys: by which words data sources name what is used, and what lines with such a key may have.

A line with a key may be billed by time, have a flat price or its own terms of notice only where the key allows it; a
line without one may have all. A key that a tariff names first is registered with everything allowed.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Article, Key, TariffDraft, TariffLine, TariffVersion
from taktura.catalog.terms import names
from taktura.catalog.titles import in_language
from taktura.catalog.usual_keys import USUAL
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.language import LANGUAGES

ALLOWS = ("time_based", "flat_price", "own_notice")
FIELDS = frozenset({"title", "titles", "source", *ALLOWS})
LONGEST = 100


def wants(line: Mapping[str, Any]) -> set[str]:
    """What of that which a key must allow a line has, from its settings as they are stored."""
    found = {"time_based": line.get("unit") == "minute", "flat_price": bool(line.get("flat_price"))}
    found["own_notice"] = line.get("notice") not in (None, "", {})
    return {name for name, has in found.items() if has}


def check_keys(seller: Seller, lines: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse (`invalid`, beside its field) what the key of a line does not allow; keys not registered allow all."""
    used = {line["key"]: article for article, line in lines.items() if line.get("key")}
    for known in Key.objects.filter(seller=seller, key__in=used):
        article = used[known.key]
        for name in ALLOWS:
            if name in wants(lines[article]) and not getattr(known, name):
                raise _not_allowed(name, known.key, article)


def _not_allowed(name: str, key: str, article: str) -> Refused:
    if name == "time_based":
        return Refused(
            "invalid", "The key “%(key)s” allows no billing by time: choose another unit, or allow it at the key.",
            key=key, field="unit", article=article,
        )  # fmt: skip
    if name == "flat_price":
        return Refused(
            "invalid", "The key “%(key)s” allows no flat price: leave it out, or allow it at the key.",
            key=key, field="flat_price", article=article,
        )  # fmt: skip
    return Refused(
        "invalid", "The key “%(key)s” allows no notice of its own: leave it out, or allow it at the key.",
        key=key, field="notice", article=article,
    )  # fmt: skip


def register(seller: Seller, lines: Iterable[Mapping[str, Any]]) -> None:
    """Register the keys of lines that are not known yet, with everything allowed."""
    found = {line["key"]: line.get("title") or "" for line in lines if line.get("key")}
    new = [
        Key(seller=seller, key=key, title=title, time_based=True, flat_price=True, own_notice=True)
        for key, title in found.items()
    ]
    if new:
        Key.objects.bulk_create(new, ignore_conflicts=True)


def missing_usual(seller: Seller) -> list[Key]:
    """The usual keys that a seller does not have, not written yet."""
    known = set(Key.objects.filter(seller=seller).values_list("key", flat=True))
    return [Key(seller=seller, **fields) for fields in USUAL if fields["key"] not in known]


@act
def give_usual_keys(actor: Actor, *, seller: Seller) -> int:
    """Register the usual keys that a seller does not have yet; gives how many."""
    new = missing_usual(seller)
    Key.objects.bulk_create(new, ignore_conflicts=True)
    if new:
        record(actor, "give_usual_keys", f"seller:{seller.pk}", {"keys": [k.key for k in new]})
    return len(new)


@act
def create_key(actor: Actor, *, seller: Seller, key: str, **fields: Any) -> Key:
    """Register a key with its title, what it comes from (`source`) and what it allows.

    Raises `Refused`: `conflict` when it is there, `invalid`.
    """
    made = Key(seller=seller, key=_word(key), **_clean(fields))
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Refused("conflict", "There is a key “%(key)s” already.", key=key, field="key") from None
    record(actor, "create_usage_key", _subject(made), {"key": made.key, **fields})
    return made


@act
def change_key(actor: Actor, *, key: Key, **fields: Any) -> Key:
    """Change the fields named of a key. Raises `Refused` (`invalid`) for taking away what lines of today have."""
    key.refresh_from_db(fields=sorted(FIELDS))
    new = {name: value for name, value in _clean(fields).items() if getattr(key, name) != value}
    for name in ALLOWS:
        if new.get(name) is False:
            _check_free(key, name)
    if new:
        Key.objects.filter(pk=key.pk).update(**new)
        record(actor, "change_usage_key", _subject(key), {"key": key.key, **new})
    for name, value in new.items():
        setattr(key, name, value)
    return key


@act
def delete_key(actor: Actor, *, key: Key) -> None:
    """Take a key out of the register. Raises `Refused` (`conflict`) while a line of any version or a draft has it, or
    it is tied to an article."""
    if Key.objects.filter(pk=key.pk, article__isnull=False).exists():
        raise Refused("conflict", "The key “%(key)s” is tied to an article: untie it first.", key=key.key)
    if tariffs_of(key.seller_id, [key.key]) or drafts_of(key.seller_id, [key.key]):
        raise Refused("conflict", "Lines of tariffs have the key “%(key)s”: it stays.", key=key.key)
    record(actor, "delete_usage_key", _subject(key), {"key": key.key})
    key.delete()


def set_article(actor: Actor, *, seller: Seller, key: str, article: Article | None) -> Key:
    """Say which article a key stands for where a contract has no line with it; None: for none any more.

    A key that is not registered is, with everything allowed. Usage is not looked at again (`usage.tie_key` does).
    """
    found = Key.objects.select_for_update().filter(seller=seller, key=key).first()
    if found is None:
        register(seller, [{"key": _word(key)}])
        found = Key.objects.select_for_update().get(seller=seller, key=key)
    found.article = article
    found.save(update_fields=["article"])
    details = {"key": key, "article": article.key if article else None}
    record(actor, "tie_key" if article else "untie_key", _subject(found), details)
    return found


def key_by_name(seller: int, key: str) -> Key:
    """A registered key; raises `Refused` (`not_found`)."""
    found = Key.objects.select_related("article", "seller").filter(seller=seller, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no key “%(key)s”.", key=key)
    return found


def tariffs_of(seller: int, keys: Iterable[str]) -> dict[str, int]:
    """How many tariffs have a line with each of some keys, in any version."""
    rows = TariffLine.objects.filter(version__tariff__seller=seller, key__in=list(keys)).order_by().values_list("key")
    return dict(rows.annotate(number=Count("version__tariff", distinct=True)))


def drafts_of(seller: int, keys: Iterable[str]) -> dict[str, int]:
    """How many drafts have a line with each of some keys."""
    wanted, found = set(keys), dict[str, int]()
    for fields in TariffDraft.objects.filter(seller=seller).values_list("fields", flat=True):
        for key in wanted & {line.get("key") or "" for line in fields.get("lines", ())}:
            found[key] = found.get(key, 0) + 1
    return found


def _check_free(key: Key, name: str) -> None:
    """That no line of a tariff's newest version has what is to be taken away."""
    newest = TariffVersion.objects.filter(tariff__seller=key.seller_id).order_by("tariff", "-valid_from", "-id")
    lines = TariffLine.objects.filter(key=key.key, version__in=newest.distinct("tariff").values("pk"))
    for line in lines.select_related("version"):
        if name in wants(line.terms):
            raise Refused(
                "invalid", "Lines with this key have what you take away: “%(tariff)s”. Change them first.",
                tariff=line.version.title, field=name,
            )  # fmt: skip


def _word(key: str) -> str:
    word = key.strip()
    if not word or len(word) > LONGEST or any(ord(c) < 32 or ord(c) == 127 for c in word):
        raise Refused("invalid", "A key is a word of at most %(most)s characters.", most=LONGEST, field="key")
    return word


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = set(fields) - FIELDS
    if unknown:
        raise Refused("invalid", "A key has no field “%(field)s”.", field=sorted(unknown)[0])
    clean = dict(fields)
    if "titles" in clean:
        clean["titles"] = names(clean["titles"] or {})
    return clean


def title_of(key: Key, language: str) -> str:
    """What a key is called in a language; its own word where it has no title."""
    assert language in LANGUAGES
    return in_language(key.title, key.titles, language) or key.key


def _subject(key: Key) -> str:
    return f"usage_key:{key.pk}"
