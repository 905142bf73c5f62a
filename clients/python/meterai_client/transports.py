"""Drivers of operations, with and without `await`."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeVar, cast

import httpx2

from meterai_client.calling import Answered, Call, Fault, Outcome, Pause, Steps, Try
from meterai_client.contents import CHUNK_BYTES

T = TypeVar("T")
VERSION = "0.1.0"
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_AGENT = f"meterai-client/{VERSION} python/{_PYTHON}"
_CONNECT_SECONDS = 10.0


def _headers(key: str | None, language: str) -> dict[str, str]:
    known = {"Authorization": f"Bearer {key}"} if key else {}
    return {"User-Agent": _AGENT, "Accept-Language": language} | known


def _sent_with(call: Call[Any]) -> dict[str, str]:
    if call.body is None:
        return dict(call.headers)
    told = {"Content-Type": call.body.content_type, "Content-Length": str(call.body.size)}
    return dict(call.headers) | told


def _timeout(step: Try) -> httpx2.Timeout:
    return httpx2.Timeout(step.silence_seconds, connect=min(step.silence_seconds, _CONNECT_SECONDS))


def _fault(wrong: httpx2.TransportError) -> Fault:
    is_ours = isinstance(wrong, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol)
    return Fault(f"{type(wrong).__name__} {wrong}".strip(), is_ours)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Waiting:
    """Runs operations synchronously."""

    def __init__(
        self, url: str, key: str | None, language: str, http: httpx2.Client | None
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = _headers(key, language)
        self._http = http or httpx2.Client()

    def close(self) -> None:
        """Close the connections to the installation."""
        self._http.close()

    def run(self, steps: Steps[T]) -> T:
        """Run an operation."""
        outcome: Outcome = None
        try:
            while True:
                outcome = self._do(steps.send(outcome))
        except StopIteration as end:
            return cast("T", end.value)

    def _do(self, step: Try | Pause) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        call = step.call
        content = None if call.body is None else call.body.chunks(call.progress)
        request = self._http.build_request(
            call.method,
            self._url + call.path,
            params=call.query or None,
            headers=self._headers | _sent_with(call),
            content=content,
            timeout=_timeout(step),
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                return self._answered(call, response)
            finally:
                response.close()
        except httpx2.TransportError as wrong:
            return _fault(wrong)

    def _answered(self, call: Call[Any], response: httpx2.Response) -> Answered:
        body = b""
        target = call.target
        if target is None or response.status_code >= 300:
            body = response.read()
        else:
            target.begin()
            try:
                for chunk in response.iter_bytes(CHUNK_BYTES):
                    target.write(chunk)
            except BaseException:
                target.drop()
                raise
        return Answered(response.status_code, _lower(response.headers), body)


class Awaiting:
    """Runs operations in an event loop. Files are read and written in threads."""

    def __init__(
        self, url: str, key: str | None, language: str, http: httpx2.AsyncClient | None
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = _headers(key, language)
        self._http = http or httpx2.AsyncClient()

    async def close(self) -> None:
        """Close the connections to the installation."""
        await self._http.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Run an operation."""
        outcome: Outcome = None
        try:
            while True:
                outcome = await self._do(steps.send(outcome))
        except StopIteration as end:
            return cast("T", end.value)

    async def _do(self, step: Try | Pause) -> Outcome:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        call = step.call
        content = None if call.body is None else _in_threads(call.body.chunks(call.progress))
        request = self._http.build_request(
            call.method,
            self._url + call.path,
            params=call.query or None,
            headers=self._headers | _sent_with(call),
            content=content,
            timeout=_timeout(step),
        )
        try:
            response = await self._http.send(request, stream=True)
            try:
                return await self._answered(call, response)
            finally:
                await response.aclose()
        except httpx2.TransportError as wrong:
            return _fault(wrong)

    async def _answered(self, call: Call[Any], response: httpx2.Response) -> Answered:
        body = b""
        target = call.target
        if target is None or response.status_code >= 300:
            body = await response.aread()
        else:
            target.begin()
            try:
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    await asyncio.to_thread(target.write, chunk)
            except BaseException:
                target.drop()
                raise
        return Answered(response.status_code, _lower(response.headers), body)


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
