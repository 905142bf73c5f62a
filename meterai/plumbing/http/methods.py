"""The methods of a path, as OPTIONS and a refused method are told them (RFC 9110, section 10.2.1).

HEAD is GET without the body: the front (`plumbing/http/front.py`) asks for GET in its place.
"""

from litestar import Litestar
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.utils import normalize_path


def allowed(app: Litestar, path: str) -> str:
    """The methods that a path of the application has, as `Allow` tells them."""
    found = {"OPTIONS"}
    for method in ("DELETE", "GET", "PATCH", "POST", "PUT"):  # those that a route of ours has
        try:
            app.asgi_router.handle_routing(path=normalize_path(path), method=method)
        except (MethodNotAllowedException, NotFoundException):
            continue
        found |= {method, "HEAD"} if method == "GET" else {method}
    return ", ".join(sorted(found))
