"""How the daemon proves who it is: never with a secret in the configuration itself."""

from typing import Literal, Self

from pydantic import Field, model_validator

from helpdesk.settings.base import CredentialName, EnvironmentName, FilePath, Section, Text, Url


class OAuth2(Section):
    """OAuth 2.0 instead of a password: a command or a file that holds a token, or a grant at a token endpoint."""

    token_command: tuple[Text, ...] | None = Field(
        default=None,
        min_length=1,
        description="command and arguments that print an access token",
        examples=[["oama", "access"]],
    )
    token_file: FilePath | None = Field(
        default=None,
        description="file (mode 0600) that something else keeps filled with an access token",
        examples=["token"],
    )
    token_url: Url | None = Field(
        default=None,
        description="https address of the token endpoint",
        examples=["https://login.example.org/token"],
    )
    client_id: Text | None = Field(
        default=None, description="client id at the token endpoint", examples=["helpdesk"]
    )
    client_secret_file: FilePath | None = Field(
        default=None, description="file (mode 0600) with the client secret", examples=["client-secret"]
    )
    refresh_token_file: FilePath | None = Field(
        default=None, description="file (mode 0600) with the refresh token", examples=["refresh-token"]
    )
    scope: Text | None = Field(
        default=None,
        description="scopes to ask for, separated by spaces",
        examples=["https://outlook.office365.com/.default"],
    )
    grant: Literal["client_credentials", "refresh_token"] = Field(
        default_factory=lambda data: (
            "refresh_token" if data.get("refresh_token_file") else "client_credentials"
        ),
        description="OAuth 2.0 grant; default: refresh_token where there is a refresh_token_file",
        examples=["client_credentials"],
    )
    mechanism: Literal["xoauth2", "oauthbearer"] = Field(
        default="xoauth2", description="SASL mechanism for the token"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [self.token_command, self.token_file, self.token_url]
        if sum(source is not None for source in sources) != 1:
            raise ValueError("needs exactly one of token_command, token_file and token_url")
        key = "refresh_token_file" if self.grant == "refresh_token" else "client_secret_file"
        for needed in ("client_id", key):
            if self.token_url is not None and getattr(self, needed) is None:
                raise ValueError(f"token_url with grant = {self.grant} needs a {needed}")
        return self


class PasswordPlace(Section):
    """Where a password is: in one place at most, and never in the configuration."""

    password_file: FilePath | None = Field(
        default=None, description="file (mode 0600) with the password", examples=["imap-password"]
    )
    password_env: EnvironmentName | None = Field(
        default=None, description="environment variable with the password", examples=["HELPDESK_PASSWORD"]
    )
    password_credential: CredentialName | None = Field(
        default=None,
        description="name of a systemd credential with the password (LoadCredential=)",
        examples=["imap-password"],
    )

    @property
    def places(self) -> dict[str, object]:
        """What says where a secret comes from."""
        named = ("password_file", "password_env", "password_credential")
        return {name: getattr(self, name) for name in named if getattr(self, name) is not None}

    @property
    def has_secret(self) -> bool:
        """Whether anything does."""
        return bool(self.places)


class Login(PasswordPlace):
    """How to prove who we are: a password from one place, or OAuth 2.0."""

    oauth2: OAuth2 | None = Field(default=None, description="OAuth 2.0 instead of a password")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if len(self.places) > 1:
            raise ValueError(
                "has more than one of password_file, password_env, password_credential and oauth2"
            )
        return self

    @property
    def places(self) -> dict[str, object]:
        """What says where a secret comes from."""
        found = super().places
        return found if self.oauth2 is None else {**found, "oauth2": self.oauth2}
