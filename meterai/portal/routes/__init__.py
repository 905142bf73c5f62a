"""Routes of the portal."""

from meterai.portal.routes.account import routes as account_routes
from meterai.portal.routes.accounts_named import routes as account_named_routes
from meterai.portal.routes.docs import routes as docs_routes
from meterai.portal.routes.front import routes as front_routes
from meterai.portal.routes.help import routes as help_routes
from meterai.portal.routes.history import routes as history_routes
from meterai.portal.routes.order import routes as order_routes
from meterai.portal.routes.receipts import routes as receipt_routes
from meterai.portal.routes.review import routes as review_routes
from meterai.portal.routes.stampings import routes as stamping_routes

routes = [
    *front_routes,
    *review_routes,
    *stamping_routes,
    *order_routes,
    *account_named_routes,
    *history_routes,
    *receipt_routes,
    *account_routes,
    *docs_routes,
    *help_routes,
]
