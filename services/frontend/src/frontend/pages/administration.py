"""The admins' pages: users, everybody's thoughts, and the audit logs.

The backends decide who may do what; `for_admins` only saves others from pages they cannot use.
"""

import secrets
from functools import partial

from django.http import Http404, HttpResponse, HttpResponseRedirect

from frontend.backends.cursors import cursor_in
from frontend.backends.users_backend import ManagedUser
from frontend.pages.forms import answer_form
from frontend.pages.page_request import PageRequest, for_admins
from frontend.pages.rendering import redirect_with_notice, show
from mythoughts_chassis.settings import Secret

USERS = "/admin/users/"
THOUGHTS = "/admin/thoughts/"

# What each button on a user's page changes, by the button's value.
CHANGES: dict[str, dict[str, object]] = {
    "make-admin": {"is_admin": True},
    "unmake-admin": {"is_admin": False},
    "disable": {"is_disabled": True},
    "enable": {"is_disabled": False},
}


@for_admins
def home(_: PageRequest) -> HttpResponse:
    """Redirect to the first of these pages."""
    return HttpResponseRedirect(USERS)


@for_admins
def users(request: PageRequest) -> HttpResponse:
    """The users, newest first, or those whose names contain `name`."""
    name, cursor = request.GET.get("name", "").strip(), cursor_in(request.GET)
    page = request.parts.users.list_users(request.caller, name, cursor)
    return show(request, "admin_users.html", page=page, name=name)


@for_admins
def new_user(request: PageRequest) -> HttpResponse:
    """Create a user with a temporary password, which is shown once."""
    return answer_form(request, "admin_new_user.html", _create_user)


@for_admins
def user(request: PageRequest, user_id: int) -> HttpResponse:
    """One user, with the buttons that change their account."""
    managed = _get_user(request, user_id)
    act = partial(_change_user, managed=managed)
    return answer_form(request, "admin_user.html", act, user=managed)


@for_admins
def delete_user(request: PageRequest, user_id: int) -> HttpResponse:
    """Delete a user; GET asks for confirmation."""
    managed = _get_user(request, user_id)
    act = partial(_delete_user, managed=managed)
    return answer_form(request, "admin_delete_user.html", act, user=managed)


@for_admins
def thoughts(request: PageRequest) -> HttpResponse:
    """Everybody's thoughts, newest first, each with a way to delete it."""
    page = request.parts.thoughts.search(
        request.caller, search="", username="", cursor=cursor_in(request.GET)
    )
    return show(request, "admin_thoughts.html", page=page)


@for_admins
def delete_thought(request: PageRequest, thought_id: int) -> HttpResponse:
    """Delete anybody's thought; GET asks for confirmation."""
    if request.method == "POST":
        request.parts.thoughts.delete_anybodys(request.caller, thought_id)
        return redirect_with_notice(THOUGHTS, "deleted")
    thought = request.parts.thoughts.find_thought(request.caller, thought_id)
    if thought is None:
        raise Http404
    return show(request, "delete.html", thought=thought, way_back=THOUGHTS)


@for_admins
def audit(request: PageRequest) -> HttpResponse:
    """The audit log of one backend, newest first."""
    of = "thoughts" if request.GET.get("of") == "thoughts" else "users"
    backend = request.parts.thoughts if of == "thoughts" else request.parts.users
    page = backend.audit(request.caller, cursor_in(request.GET))
    return show(request, "admin_audit.html", page=page, of=of)


def _get_user(request: PageRequest, user_id: int) -> ManagedUser:
    found = request.parts.users.find_user(request.caller, user_id)
    if found is None:
        raise Http404
    return found


def _create_user(request: PageRequest) -> HttpResponse:
    password = _temporary_password()
    username = request.POST.get("username", "").strip()
    created = request.parts.users.create_user(request.caller, username, password)
    return _password_page(request, created, password)


def _change_user(request: PageRequest, managed: ManagedUser) -> HttpResponse:
    """Make the change that belongs to the button pressed."""
    backend, action = request.parts.users, request.POST.get("action", "")
    if action == "reset-password":
        password = _temporary_password()
        backend.change_user(request.caller, managed.id, password=password.reveal())
        return _password_page(request, managed, password)
    if action == "end-sessions":
        backend.end_sessions_of(request.caller, managed.id)
    elif action in CHANGES:
        backend.change_user(request.caller, managed.id, **CHANGES[action])
    else:
        raise Http404
    return redirect_with_notice(f"{USERS}{managed.id}/", f"user-{action}")


def _delete_user(request: PageRequest, managed: ManagedUser) -> HttpResponse:
    request.parts.users.delete_user(request.caller, managed.id)
    return redirect_with_notice(USERS, "user-deleted")


def _password_page(request: PageRequest, managed: ManagedUser, password: Secret) -> HttpResponse:
    """Show a password that must be changed at the next login; it is not shown again."""
    return show(request, "admin_password.html", user=managed, password=password.reveal())


def _temporary_password() -> Secret:
    # 128 random bits.
    return Secret(secrets.token_urlsafe(16))
