"""The first user, who invites the others in the office."""

import click

from taktura.accounts.permissions import ROLES
from taktura.cli.commands.context import actor_now, open_database
from taktura.cli.show import _, console
from taktura.kit.language import LANGUAGES

LOCAL = "http://localhost:8000"


@click.command("create-user", short_help="Make a user, or a link with which one makes oneself.")
@click.argument("email")
@click.option(
    "--role", default="admin", show_default=True, type=click.Choice(list(ROLES)), help="What the user may do."
)
@click.option("--name", default="", help="The user's name.")
@click.option("--language", default="en", show_default=True, type=click.Choice(LANGUAGES), help="The user's language.")
@click.option("--password", is_flag=True, help="Ask for a password here, instead of printing a link.")
def create_user(email: str, role: str, name: str, language: str, password: bool) -> None:
    """Print a link with which the user of EMAIL chooses a name and a password; it can be used once, for seven days.

    With --password the password is asked for here (or read from a pipe), and the user is made at once.
    """
    open_database()
    from django.conf import settings
    from django.urls import reverse

    from taktura.accounts import services

    if password:
        secret = click.prompt(_("Password"), hide_input=True, confirmation_prompt=_("The same again"), err=True)
        services.create_user(actor_now(), email=email, name=name, role=role, password=secret, language=language)
        console.print(_("%(email)s can sign in now.", email=email))
        return
    invitation, secret = services.invite(actor_now(), email=email, role=role, name=name, language=language)
    link = f"{settings.PUBLIC_URL or LOCAL}{reverse('accept_invitation', args=[secret])}"
    console.print(
        _("Until %(day)s %(email)s can begin here:", day=invitation.expires_at.date(), email=email), soft_wrap=True
    )
    console.print(link, soft_wrap=True)
