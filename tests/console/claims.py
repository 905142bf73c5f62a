"""Claims of texts of the console: what must be so where a page says them."""

NO_CLAIMS = {
    "page.approval.found": "of a request that was overtaken",
}
