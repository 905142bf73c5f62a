"""Sending of one message to one receiver, within limits that hold for any receiver.

No redirect is followed, no cookie is kept, no proxy of the environment is used, nothing is decompressed. The size of
response headers, the bytes read of a response body, and the time of the whole exchange are limited.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

import aiohttp

from meterai.webhooks.adapters.egress import Egress, NoAddress, NotPublic
from meterai.webhooks.model import (
    ANSWER_BYTES_MAX,
    CONNECT_SECONDS_MAX,
    READ_SECONDS_MAX,
    SECONDS_MAX,
    Failure,
    WebhookUrlRefused,
    address_of,
)

KEPT_SECONDS = 10.0  # for which an idle connection is kept
HEAD_BYTES_MAX = 8 * 1024  # of one line of the response headers


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """Outcome of one attempt to send a message. `failure` is None if the message was delivered."""

    seconds: float
    status: int | None
    answer: bytes
    failure: Failure | None
    retry_after: str | None = None


class Sender:
    """Sends messages over HTTP. An idle connection is kept for `KEPT_SECONDS`."""

    def __init__(self, egress: Egress, trusts: ssl.SSLContext | None = None) -> None:
        """`trusts` has the trusted roots for certificates of receivers; by default the trust store of the machine is used."""
        self._egress = egress
        self._trusts = trusts
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        await self._egress.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendOutcome:
        """Send one message. A failure is returned in the outcome and never raised."""
        begun = monotonic()
        status, answer, after = None, b"", None
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await self._egress.to_send(address_of(url))
                async with self._open_session().post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as response:
                    status, after = response.status, response.headers.get("Retry-After")
                    answer = await _read_beginning(response)
            failure = _failure_of(status)
        except TimeoutError:
            # Time ran out during the body: the status is already known.
            failure = Failure.TIMEOUT if status is None else _failure_of(status)
        except (NotPublic, WebhookUrlRefused):
            failure = Failure.NOT_PUBLIC
        except (NoAddress, aiohttp.ClientConnectorDNSError):
            failure = Failure.NAME
        except (aiohttp.ClientSSLError, ssl.SSLError):
            failure = Failure.CERTIFICATE
        except (aiohttp.ClientConnectionError, OSError):
            failure = Failure.CONNECTION if status is None else _failure_of(status)
        except (aiohttp.ClientError, ValueError):
            failure = Failure.UNREADABLE if status is None else _failure_of(status)
        return SendOutcome(monotonic() - begun, status, answer, failure, after)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # unlimited here: the worker pools limit concurrent connections
                    resolver=self._egress,
                    use_dns_cache=False,
                    keepalive_timeout=KEPT_SECONDS,
                    ssl=self._trusts or True,
                ),
                timeout=aiohttp.ClientTimeout(total=SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                max_line_size=HEAD_BYTES_MAX,
                max_field_size=HEAD_BYTES_MAX,
            )
        return self._session


async def _read_beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of a response body. The rest stays unread, and the connection is closed."""
    read = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS_MAX):
            while len(read) < ANSWER_BYTES_MAX and not response.content.at_eof():
                read += await response.content.read(ANSWER_BYTES_MAX - len(read))
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        response.close()
    if not response.content.at_eof():
        response.close()
    return bytes(read)


def _failure_of(status: int) -> Failure | None:
    if 200 <= status < 300:
        return None
    return Failure.REDIRECT if 300 <= status < 400 else Failure.STATUS
