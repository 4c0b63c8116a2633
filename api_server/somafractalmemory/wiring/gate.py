"""Who may come in: tokens, identity providers, budgets."""

from somafractalmemory.adapters.identity import key_source
from somafractalmemory.ports import Limiter
from somafractalmemory.security.admission import Admission
from somafractalmemory.security.bearers import Bearers, Issuer, KeyRing
from somafractalmemory.security.tokens import Tokens
from somafractalmemory.settings import Settings


def admission_of(settings: Settings, limiter: Limiter | None) -> Admission:
    """The gate of every face. Raises ConfigurationError when nobody could pass."""
    return Admission(
        tokens=tokens_of(settings),
        bearers=_bearers(settings),
        limiter=limiter,
        default_namespace=settings.namespace,
    )


def _bearers(settings: Settings) -> Bearers | None:
    """Tokens of an identity provider, when there is one."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    source = key_source(issuer=settings.oidc_issuer, url=settings.oidc_jwks_url, file=settings.oidc_jwks_file)
    issuer = Issuer(
        settings.oidc_issuer, settings.oidc_audience, settings.oidc_scopes_claim, settings.oidc_namespaces_claim
    )
    return Bearers(issuer, KeyRing(source))


def tokens_of(settings: Settings) -> Tokens:
    """The bearer tokens. Raises ConfigurationError when there is none."""
    text = settings.api_token.get_secret_value() if settings.api_token else ""
    return Tokens(
        text="" if settings.api_token_file else text,
        file=settings.api_token_file,
        structured_file=settings.api_tokens_file,
        required=settings.oidc_issuer is None,
    )
