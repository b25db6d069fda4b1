"""Connecting: the login, and what the server offers afterwards (RFC 9051 section 6.1.1, RFC 5161)."""

from helpdesk.errors import LoginRefusedError
from helpdesk.mailbox import namespace
from helpdesk.mailbox.account import Account, BearerToken, Credential, Password, Renewable
from helpdesk.mailbox.conversation import Conversation
from helpdesk.mailbox.login import log_in
from helpdesk.mailbox.session import Session
from helpdesk.mailbox.wire import ImapMailbox
from helpdesk.ports import Tier

__all__ = ["Account", "BearerToken", "Credential", "Password", "Renewable", "connect", "open_conversation"]


def connect(account: Account) -> ImapMailbox:
    """Connect and log in; set-up commands do not count."""
    conversation = open_conversation(account)
    tier = _enable(conversation)
    guid_item, where = _guid_item(conversation), namespace.ask(conversation)
    conversation.commands = 0
    return ImapMailbox(Session(conversation, tier, guid_item, where))


def open_conversation(account: Account) -> Conversation:
    """Connect and log in, once more with a renewed token when the server refuses the first."""
    credential = account.credential()
    try:
        conversation = log_in(account, credential)
    except LoginRefusedError:
        if not isinstance(account.credential, Renewable):
            raise
        conversation = log_in(account, account.credential.renew(credential))
    conversation.capabilities = _capabilities(conversation)
    return conversation


def _capabilities(conversation: Conversation) -> frozenset[str]:
    """Ask again: what was announced before the login says little (B: tiers are decided from this)."""
    words: set[str] = set()
    for parts in conversation.run("CAPABILITY").check().untagged:
        name, _, rest = parts[0].decode("latin-1").upper().partition(" ")
        if name == "CAPABILITY":
            words |= set(rest.split())
    return frozenset(words)


def _enable(conversation: Conversation) -> Tier:
    """Decide the tier from what is announced, and switch it on before anything is selected (RFC 7162, RFC 5161)."""
    offered = conversation.capabilities
    if "ENABLE" in offered and "QRESYNC" in offered:
        conversation.run("ENABLE QRESYNC CONDSTORE").check()
        return Tier.QRESYNC
    if "CONDSTORE" in offered:
        if "ENABLE" in offered:
            conversation.run("ENABLE CONDSTORE").check()
        return Tier.CONDSTORE
    return Tier.PLAIN


def _guid_item(conversation: Conversation) -> str:
    """Choose what identifies a message across folders: EMAILID (RFC 8474), Gmail's id, Dovecot's unannounced X-GUID."""
    if "OBJECTID" in conversation.capabilities:
        return "EMAILID"
    if "X-GM-EXT-1" in conversation.capabilities:
        return "X-GM-MSGID"
    if "ID" in conversation.capabilities:
        said = conversation.run("ID NIL").untagged
        if any(parts[0].startswith(b"ID ") and b"Dovecot" in b"".join(parts) for parts in said):
            return "X-GUID"
    return ""
