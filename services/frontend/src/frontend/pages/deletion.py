"""Deleting one's own account, with all thoughts, in both backends."""

from django.http import HttpResponse
from django.utils.translation import gettext_lazy

from frontend.pages.forms import answer_form, password_checked
from frontend.pages.rendering import redirect_with_notice
from frontend.pages.visitor import PageRequest, for_users
from mythoughts_chassis.settings import Secret

_UNFINISHED = gettext_lazy(
    "Not everything could be deleted. Please try again in a minute, until it is complete."
)


@for_users
def delete_account(request: PageRequest) -> HttpResponse:
    """Delete the account after asking for the password."""
    return answer_form(request, "delete_account.html", _delete_account, away=_UNFINISHED)


def _delete_account(request: PageRequest) -> HttpResponse:
    """Delete the thoughts and then the user.

    The other way round, a fault in the middle would leave thoughts that nobody can delete: the
    user's sessions end with the user. This way, all of it can be repeated until it is complete.
    """
    users, caller = request.parts.users, request.caller
    password = Secret(request.POST.get("password", ""))
    with password_checked():
        users.delete_account(caller, password=password, dry_run=True)
        request.parts.thoughts.delete_all(caller)
        users.delete_account(caller, password=password, dry_run=False)
    request.log_out()
    return redirect_with_notice("/login/", "account-deleted")
