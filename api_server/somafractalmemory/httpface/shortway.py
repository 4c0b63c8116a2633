"""Requests of fixed paths go straight to their route; the others take the framework's way.

The way through the framework's error handling, exit stacks and router costs more processor time than a whole `/store`
(measured: 110 us of 600 us). What it does for a route of ours is done here: find it, call it, answer its errors.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Answer = Callable[[Request, Exception], Awaitable[Response]]


class ShortWay:
    """In front of the framework: what it does not know goes on to the framework."""

    def __init__(
        self, app: ASGIApp, *, routes: Iterable[BaseRoute], answers: Mapping[type[Exception], Answer], on_bug: Answer
    ) -> None:
        """`answers` are those for errors, by their type; `on_bug` is for one that is not among them."""
        self._app = app
        self._answers = answers
        self._on_bug = on_bug
        self._routes: dict[tuple[str, str], Route] = {}
        for route in routes:
            if isinstance(route, Route) and "{" not in route.path:
                for method in route.methods or ():
                    self._routes.setdefault((method, route.path), route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises an error that is a bug, once it is answered: the server logs it."""
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope.update(route=route, endpoint=route.endpoint, path_params={})
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await route.handle(scope, receive, watched)
        except Exception as error:
            if started:
                raise
            answer = next((self._answers[kind] for kind in type(error).__mro__ if kind in self._answers), None)
            response = await (answer or self._on_bug)(Request(scope, receive, send), error)
            await response(scope, receive, send)
            if answer is None:
                raise


def fixed_routes(routers: Iterable[Any], kind: type[Route]) -> list[BaseRoute]:
    """The routes of that kind."""
    return [route for router in routers for route in router.routes if isinstance(route, kind)]
