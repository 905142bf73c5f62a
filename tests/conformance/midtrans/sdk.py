"""The official SDK of Midtrans, called from outside its environment: each line in is a call, each line out its answer.

    {"url": ..., "key": ...}                      first: where Midtrans is, and the server key
    {"call": "charge", "arguments": [{...}]}      a method of CoreApi, or of its `transactions`

An answer is {"answer": ...}, or {"refused": status, "body": ...} where the SDK raises its own error.
"""

import json
import sys
from importlib import import_module


def main() -> None:
    """Read calls line by line, and answer each."""
    midtrans = import_module("midtransclient")
    config = import_module("midtransclient.config").ApiConfig
    where = json.loads(sys.stdin.readline())
    config.CORE_SANDBOX_BASE_URL = where["url"]
    api = midtrans.CoreApi(is_production=False, server_key=where["key"])
    for line in sys.stdin:
        asked = json.loads(line)
        method = getattr(api, asked["call"], None) or getattr(api.transactions, asked["call"])
        try:
            told = {"answer": method(*asked["arguments"])}
        except midtrans.error_midtrans.MidtransAPIError as error:
            told = {"refused": error.http_status_code, "body": error.api_response_dict}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
