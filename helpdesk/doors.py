"""From settings to the outside systems' addresses and logins; every secret is read anew when it is needed."""

import ssl
from collections.abc import Callable

from helpdesk import secrets
from helpdesk.errors import ConfigError
from helpdesk.mailbox.account import Account, Credential, Password
from helpdesk.settings import Settings
from helpdesk.smtp import Login, SmtpMailer, SmtpServer
from helpdesk.store import db
from helpdesk.tokens import tokens


def account(settings: Settings) -> Account:
    """Who we are at the IMAP server; the secret is read anew at every login."""
    imap = settings.imap
    return Account(
        imap.host,
        imap.port,
        imap.security,
        imap.username,
        _credential(settings),
        verify=imap.tls_verify,
        ca_file=str(imap.ca_file) if imap.ca_file else None,
    )


def _credential(settings: Settings) -> Callable[[], Credential]:
    imap = settings.imap
    if imap.oauth2 is not None:
        return tokens(imap.oauth2)

    def ask() -> Credential:
        secret = secrets.password(imap)
        if secret is None:
            raise ConfigError(
                ("[imap]: no password; set password_file, password_env, password_credential or oauth2",)
            )
        return Password(secret.get_secret_value())

    return ask


def mailer(settings: Settings) -> SmtpMailer:
    """The way out."""
    smtp = settings.smtp
    context = ssl.create_default_context(cafile=str(smtp.ca_file) if smtp.ca_file else None)
    if not smtp.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    login = None
    if smtp.username is not None:
        login = _smtp_login(settings, smtp.username)
    return SmtpMailer(SmtpServer(smtp.host, smtp.port, smtp.security, context), login)


def _smtp_login(settings: Settings, username: str) -> Login:
    smtp = settings.smtp
    if smtp.oauth2 is not None:
        source = tokens(smtp.oauth2)
        return Login(username, lambda: source().secret, smtp.oauth2.mechanism)

    def ask() -> str:
        secret = secrets.password(smtp)
        if secret is None:
            raise ConfigError(
                ("[smtp]: a username and no password; set password_file, password_env or oauth2",)
            )
        return secret.get_secret_value()

    return Login(username, ask)


def database(settings: Settings) -> db.Address:
    """Where the database is; its password, if it is not in the URL, is read anew at every login."""
    store = settings.store
    url = store.url.get_secret_value()
    if not store.has_secret:
        return url

    def ask() -> str:
        secret = secrets.password(store)
        return "" if secret is None else secret.get_secret_value()

    return db.Secured(url, ask)
