"""Pages: layout, style, scripts, forms and errors of all browser pages.

Promises of this package
  * Every page works without JavaScript, on a small screen and with a keyboard, in Indonesian and
    English, and fetches nothing from other hosts.
  * A page of another site cannot send our forms.
  * After a refusal or a fault, people get a page that says which money, stamps and files are not lost; programs get the
    same facts as problem+json.
  * A page depends only on its own room: each room registers its templates, images and links in a `RoomPages`, from
    which an application builds a `Site`.

The package knows nothing of stamps, orders or accounts, except whether the reader is signed in.  It calls plumbing, and
is called by every room that has pages.
"""

from meterai.pages import paper
from meterai.pages.assets import Asset
from meterai.pages.busy import busy_pages, too_long_pages
from meterai.pages.errors import page_or_problem
from meterai.pages.files import static_files
from meterai.pages.forms import (
    Form,
    bodies_of,
    check_form,
    check_origin,
    keep_form,
    read_form,
    read_form_of_a_person,
    read_own_form,
)
from meterai.pages.model import (
    DESK,
    FORM_KEY,
    SHUT,
    FieldWrong,
    LinkPlace,
    Notice,
    PageLink,
    RoomPages,
    ShownTo,
    form_key,
    fresh_key,
    is_at_desk,
    local_path,
    wants_page,
    whole_number,
)
from meterai.pages.policy import content_security_policy
from meterai.pages.remembering import Remembered, Remembering
from meterai.pages.rendering import (
    FieldError,
    Page,
    PageRequest,
    Site,
    field_errors,
    kept_text,
    known_caller,
    known_visitor,
    page,
    page_with_style,
    rendered,
    see_other,
    sentence,
    visitor,
)

__all__ = [
    "DESK",
    "FORM_KEY",
    "SHUT",
    "Asset",
    "FieldError",
    "FieldWrong",
    "Form",
    "LinkPlace",
    "Notice",
    "Page",
    "PageLink",
    "PageRequest",
    "Remembered",
    "Remembering",
    "RoomPages",
    "ShownTo",
    "Site",
    "bodies_of",
    "busy_pages",
    "check_form",
    "check_origin",
    "content_security_policy",
    "field_errors",
    "form_key",
    "fresh_key",
    "is_at_desk",
    "keep_form",
    "kept_text",
    "known_caller",
    "known_visitor",
    "local_path",
    "page",
    "page_or_problem",
    "page_with_style",
    "paper",
    "read_form",
    "read_form_of_a_person",
    "read_own_form",
    "rendered",
    "see_other",
    "sentence",
    "static_files",
    "too_long_pages",
    "visitor",
    "wants_page",
    "whole_number",
]
