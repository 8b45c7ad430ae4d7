"""Jobs of customers: what a request must not do itself."""

from procrastinate.contrib.django import app

from taktura.customers.access import mail_link
from taktura.customers.models import Seller
from taktura.customers.vat_checks import ASKING, QUEUE, check
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now


@app.task(name="mail_portal_link", queue="mail")
def mail_portal_link(email: str, purpose: str, portal: str) -> bool:
    """Mail a link of the portal to an address, if it is known. A job, so that a page answers as soon where it is not.

    Gives whether a mail was written.
    """
    return mail_link(Actor("portal", utc_now()), email=email, purpose=purpose, portal=portal)


@app.task(name=ASKING, queue=QUEUE)
def ask_vies(seller: int, vat_id: str, tried: int) -> str:
    """Ask VIES about a VAT id; gives what it said. Where there is no answer, another job asks again later: this one
    never fails for it."""
    wanted = Seller.objects.filter(pk=seller, vies=True).first()
    if wanted is None:
        return ""
    return check(Actor("vies", utc_now()), seller=wanted, wanted=vat_id, tried=tried).state
