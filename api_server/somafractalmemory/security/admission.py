"""Who may do what, where, and how often: one gate for every face."""

from dataclasses import dataclass

from somafractalmemory.errors import Forbidden, InvalidRequest, RateLimited
from somafractalmemory.model import Budget, check_namespace
from somafractalmemory.ports import Limiter
from somafractalmemory.security import tenancy
from somafractalmemory.security.acting import act_as
from somafractalmemory.security.bearers import Bearers
from somafractalmemory.security.callers import Caller, Scope
from somafractalmemory.security.tokens import Tokens, bearer


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on, and the namespace that it works in."""

    caller: Caller
    namespace: str
    budget: Budget | None


class Admission:
    """Checks a request before anything of it is read."""

    def __init__(
        self, *, tokens: Tokens, limiter: Limiter | None, default_namespace: str, bearers: Bearers | None = None
    ) -> None:
        self._tokens = tokens
        self._bearers = bearers
        self._limiter = limiter
        self._default_namespace = default_namespace

    async def admit(
        self,
        *,
        authorization: str | None,
        namespace: str | None,
        operation: str,
        needs: Scope,
        request_id: str | None = None,
        trusted: Caller | None = None,
    ) -> Admitted:
        """Let a request through; its task sees that namespace only from here on.

        Args:
            authorization: the value of the header (or gRPC metadata) of that name.
            namespace: the one that the caller asks for; None for the caller's own, or the service's default.
            operation: what the rate limit counts, such as a route's template.
            needs: what the token must allow.
            request_id: the caller's own name for this request, for the audit.
            trusted: who asks when no authorization is given; None where that is refused.

        Raises:
            Unauthenticated, Forbidden, InvalidRequest, RateLimited (which carries the spent budget), Unavailable.
        """
        caller = await self._identify(authorization) if authorization or trusted is None else trusted
        act_as(caller.name, request_id)
        budget = None
        if self._limiter is not None:
            budget = await self._limiter.hit(f"{caller.name}:{operation}")
            if not budget.allowed:
                raise RateLimited("Rate limit exceeded", retry_after_seconds=budget.reset_seconds, budget=budget)
        if needs not in caller.scopes:
            raise Forbidden(f"this token does not allow to {needs.value}: use one with that scope")
        entered = self._namespace(caller, namespace)
        tenancy.confine(entered)
        return Admitted(caller, entered, budget)

    async def _identify(self, authorization: str | None) -> Caller:
        """One of our own tokens, or one of the identity provider's, which have three parts with dots between them."""
        if self._bearers is not None and (token := bearer(authorization)).count(".") == 2:
            return self._tokens.find(token) or await self._bearers.identify(token)
        return self._tokens.identify(authorization)

    def _namespace(self, caller: Caller, wanted: str | None) -> str:
        if wanted is None:
            return caller.home or self._default_namespace
        try:
            check_namespace(wanted)
        except InvalidRequest as error:
            raise InvalidRequest(f"X-Soma-Namespace: {error}", loc=("header", "X-Soma-Namespace")) from None
        if not caller.may_enter(wanted):
            raise Forbidden("this token is not for that namespace")
        return wanted
