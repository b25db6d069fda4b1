"""OAuth 2.0 as a configuration says it: where access tokens come from."""

from functools import partial

from helpdesk.mailbox.account import Mechanism
from helpdesk.mailbox.oauth import Grant, Token, TokenSource, from_command, from_file, from_grant
from helpdesk.settings import OAuth2

_MECHANISMS: dict[str, Mechanism] = {"xoauth2": "XOAUTH2", "oauthbearer": "OAUTHBEARER"}


def tokens(oauth2: OAuth2) -> TokenSource:
    """A source of tokens, one for all connections of an account; nothing is fetched before the first login."""
    mechanism = _MECHANISMS[oauth2.mechanism]
    if oauth2.token_command is not None:
        return TokenSource(partial(from_command, oauth2.token_command), mechanism)
    if oauth2.token_file is not None:
        return TokenSource(partial(from_file, oauth2.token_file), mechanism)
    return TokenSource(partial(_granted, oauth2), mechanism)


def _granted(oauth2: OAuth2) -> Token:
    grant = Grant(
        oauth2.token_url or "",
        oauth2.client_id or "",
        oauth2.grant,
        oauth2.client_secret_file,
        oauth2.refresh_token_file,
        oauth2.scope,
    )
    return from_grant(grant)
