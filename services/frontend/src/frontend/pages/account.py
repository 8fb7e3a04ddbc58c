"""One's own account: what can be done with it, and changing the password."""

from django.http import HttpResponse

from frontend.pages.forms import answer_form, new_password_in, password_checked
from frontend.pages.rendering import redirect_with_notice, show
from frontend.pages.visitor import PageRequest, for_users
from mythoughts_chassis.settings import Secret

ACCOUNT = "/account/"


@for_users
def overview(request: PageRequest) -> HttpResponse:
    """What one can do with one's account."""
    return show(request, "account.html")


@for_users
def change_password(request: PageRequest) -> HttpResponse:
    """Change the password, which ends all other sessions."""
    return answer_form(request, "password.html", _change_password)


def _change_password(request: PageRequest) -> HttpResponse:
    new_password = new_password_in(request, "new_password")
    password = Secret(request.POST.get("password", ""))
    with password_checked():
        request.parts.users.change_password(
            request.caller, password=password, new_password=new_password
        )
    return redirect_with_notice(ACCOUNT, "password-changed")
