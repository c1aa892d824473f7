"""Passwords and certificates of the entry point: which secrets they are, and the files in which Traefik reads them.

A new file of users or certificate is in force without a new process: each delivery makes Traefik read them again.
"""

from __future__ import annotations

from components.entry.routing import CERTIFICATE, KEY, list_users
from model.component import Planning
from model.secret import Htpasswd, Issued, Secret
from model.workload import SECRETS_DIR, SecretFile

SEED = "tls-authority"


def list_secrets(context: Planning) -> tuple[Secret, ...]:
    """Passwords of people and programs, the files of users that are made of them, and the certificate."""
    files = [
        Secret(name=name, purpose="a file of users of the entry point", made=Htpasswd(users=people))
        for name, people in list_users(context).items()
    ]
    return (*list_passwords(context), *files, *list_certificate_secrets(context))


def list_passwords(context: Planning) -> tuple[Secret, ...]:
    """The passwords; those whose secret the settings do not name are generated."""
    access = context.settings.access
    return tuple(
        Secret(
            name=user.secret,
            purpose=f"the password of {user.name} at the entry point",
            generate=user.password_secret is None,
        )
        for user in (*access.list_users(), *access.machines)
    )


def list_certificate_secrets(context: Planning) -> tuple[Secret, ...]:
    """The certificate and its key, where Traefik does not order them itself."""
    tls, host = context.settings.tls, context.settings.host
    if tls.files:
        return (
            Secret(name=tls.files.certificate_secret, purpose=f"the certificate of {host}, with its chain"),
            Secret(name=tls.files.key_secret, purpose=f"the private key of the certificate of {host}"),
        )
    if tls.mode != "internal":
        return ()
    return (
        Secret(
            name=SEED,
            purpose="what the stack's own certificate authority is made of",
            generate=True,
            length=64,
            after_rotation="Import the new authority where the old one was: pulumi stack output caCertificate",
        ),
        Secret(name=CERTIFICATE, purpose=f"the certificate of {host}", made=Issued(part="chain", seed=SEED, host=host)),
        Secret(name=KEY, purpose=f"the private key of {host}", made=Issued(part="key", seed=SEED, host=host)),
    )


def list_secret_files(context: Planning) -> tuple[SecretFile, ...]:
    """The same as files."""
    files = [SecretFile(path=f"{SECRETS_DIR}/{name}", secret=name, reread=True) for name in list_users(context)]
    tls = context.settings.tls
    pair = {}
    if tls.files:
        pair = {CERTIFICATE: tls.files.certificate_secret, KEY: tls.files.key_secret}
    elif tls.mode == "internal":
        pair = {CERTIFICATE: CERTIFICATE, KEY: KEY}
    files += [SecretFile(path=f"{SECRETS_DIR}/{file}", secret=name, reread=True) for file, name in pair.items()]
    return tuple(files)
