"""Clusters' secrets made by a test, and a Talos client over real sockets."""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from attrs import define, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf.empty_pb2 import Empty
from grpclib.client import Channel

from provisioner.talos.api._wire import cosi_pb2, machine_pb2
from provisioner.talos.api._wire.cosi_grpc import StateStub
from provisioner.talos.api._wire.machine_grpc import MachineServiceStub

DEADLINE_S = 60.0


def until(look: Callable[[], Any]) -> Any:
    """The first true thing `look` gives; each look is a round trip, so nothing sleeps."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
    raise AssertionError("it did not come true")


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@frozen
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def crt(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pem_key(self) -> str:
        text = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        # Talos labels Ed25519 keys in its own way.
        ed25519_key = isinstance(self.key, ed25519.Ed25519PrivateKey)
        return text.replace("PRIVATE KEY", "ED25519 PRIVATE KEY") if ed25519_key else text

    @property
    def both(self) -> dict[str, str]:
        return {"crt": b64(self.crt), "key": b64(self.pem_key)}

    @property
    def public(self) -> dict[str, str]:
        return {"crt": b64(self.crt), "key": ""}


def certificate(
    organization: str, key: Any, *, by: Pair | None = None, usages: tuple[Any, ...] | None = None
) -> Pair:
    """A CA when `by` is None, else a certificate that `by` signs."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    usages = usages or (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    signer = by.key if by is not None else key
    builder = (
        x509.CertificateBuilder()
        .issuer_name(by.certificate.subject if by is not None else subject)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    )
    if by is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier(secrets.token_bytes(20)), critical=False)
    else:
        issuer = by.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False
        )
    return Pair(builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()), key)


class Secrets:
    """One cluster's secrets, and the configurations and certificates made of them."""

    def __init__(self) -> None:
        self.os = certificate("talos", ed25519.Ed25519PrivateKey.generate())
        self.etcd, self.k8s = (certificate(name, ec.generate_private_key(ec.SECP256R1())) for name in ("etcd", "k8s"))
        self.id, self.secret, self.box = (b64(secrets.token_bytes(32)) for _ in range(3))

    def client(self, role: str = "os:admin", usages: Any = (ExtendedKeyUsageOID.CLIENT_AUTH,)) -> Pair:
        return certificate(role, ed25519.Ed25519PrivateKey.generate(), by=self.os, usages=usages)

    def kubernetes_user(self, organization: str) -> dict[str, str]:
        """The user part of a kubeconfig."""
        usages = (ExtendedKeyUsageOID.CLIENT_AUTH,)
        pair = certificate(organization, ec.generate_private_key(ec.SECP256R1()), by=self.k8s, usages=usages)
        return {"client-certificate-data": b64(pair.crt), "client-key-data": b64(pair.pem_key)}

    def config(self, kind: str, hostname: str, endpoint: str, **machine: Any) -> str:
        control_plane = kind == "controlplane"
        tree: dict[str, Any] = {
            "version": "v1alpha1",
            "machine": {
                "type": kind,
                "token": "abcdef.0123456789abcdef",
                "ca": self.os.both if control_plane else self.os.public,
                "kubelet": {"image": "ghcr.io/siderolabs/kubelet:v1.36.3"},
                **machine,
            },
            "cluster": {
                "id": self.id,
                "secret": self.secret,
                "token": "fedcba.0123456789abcdef",
                "controlPlane": {"endpoint": f"https://{endpoint}:6443"},
                "ca": self.k8s.both if control_plane else self.k8s.public,
                "discovery": {"enabled": True},
            },
        }
        if control_plane:
            tree["cluster"] |= {
                "secretboxEncryptionSecret": self.box,
                "etcd": {"ca": self.etcd.both},
                "apiServer": {"image": "registry.k8s.io/kube-apiserver:v1.36.3"},
            }
        name = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": hostname}
        return yaml.safe_dump_all([tree, name], sort_keys=False)

    def config_in_documents(self, kind: str, hostname: str, endpoint: str, *more: dict[str, Any]) -> str:
        """The same as Talos 1.14 is told it, with `more` documents."""
        leads = kind == "controlplane"
        machine = {"type": kind, "token": "abcdef.0123456789abcdef", "ca": self.os.both if leads else self.os.public}
        cluster = {"token": "fedcba.0123456789abcdef", **({"etcd": {"ca": self.etcd.both}} if leads else {})}
        key = {"name": "key2", "secret": self.box}
        providers = [{"secretbox": {"keys": [key]}}]
        ca = {"cert": self.k8s.crt, "key": self.k8s.pem_key}
        documents: list[dict[str, Any]] = [
            {"kind": "HostnameConfig", "auto": "off", "hostname": hostname},
            {"kind": "DiscoveryServiceConfig", "name": "default", "endpoint": "https://discovery.talos.dev/"},
            {"kind": "DiscoveryIdentityConfig", "clusterID": self.id, "clusterSecret": self.secret},
            {"kind": "KubeClusterConfig", "clusterName": "demo", "endpoint": f"https://{endpoint}:6443"},
            {"kind": "KubeletConfig", "image": "ghcr.io/siderolabs/kubelet:v1.37.0"},
            {"kind": "KubeAPIServerCAConfig", **({"issuingCA": ca} if leads else {"acceptedCAs": [ca["cert"]]})},
            {"kind": "KubeNodeConfig", "labels": {"rack": "7"}, "taints": {"gpu": "yes:NoExecute"}},
        ]
        if leads:
            rule = {"resources": ["secrets"], "providers": providers}
            documents.append({"kind": "KubeEtcdEncryptionConfig", "config": {"resources": [rule]}})
            documents.append({"kind": "KubeAPIServerConfig", "image": "registry.k8s.io/kube-apiserver:v1.37.0"})
        root: dict[str, Any] = {"version": "v1alpha1", "machine": machine, "cluster": cluster}
        typed = [{"apiVersion": "v1alpha1", **document} for document in (*documents, *more)]
        return yaml.safe_dump_all([root, *typed], sort_keys=False)


@define
class Talos:
    """A client of one machine's API; every call has a connection of its own."""

    address: str
    credentials: Pair | None = None
    authority: Pair | None = None
    folder: Path = Path()
    port: int = 50000

    def call(self, method: str, request: Any = None) -> Any:
        return asyncio.run(self._call(method, request if request is not None else Empty()))

    def get(self, kind: str, name: str, namespace: str = "runtime") -> Any:
        request = cosi_pb2.GetRequest(type=kind, id=name, namespace=namespace)
        return yaml.safe_load(self.call("Get", request).resource.spec.yaml_spec)

    def list(self, kind: str, namespace: str = "runtime") -> dict[str, Any]:
        found = self.call("List", cosi_pb2.ListRequest(type=kind, namespace=namespace))
        return {item.resource.metadata.id: yaml.safe_load(item.resource.spec.yaml_spec) for item in found}

    def apply(self, text: str, mode: str = "AUTO", **more: Any) -> Any:
        number = machine_pb2.ApplyConfigurationRequest.Mode.Value(mode)
        request = machine_pb2.ApplyConfigurationRequest(data=text.encode(), mode=number, **more)
        return self.call("ApplyConfiguration", request).messages[0]

    def members(self) -> dict[str, Any]:
        answer = self.call("EtcdMemberList", machine_pb2.EtcdMemberListRequest())
        return {member.hostname: member for member in answer.messages[0].members}

    def reset(self, *, graceful: bool = True, reboot: bool = False) -> None:
        parts = [machine_pb2.ResetPartitionSpec(label=label, wipe=True) for label in ("STATE", "EPHEMERAL")]
        self.call(
            "Reset", machine_pb2.ResetRequest(graceful=graceful, reboot=reboot, system_partitions_to_wipe=parts)
        )

    def peer(self) -> x509.Certificate:
        """The certificate the machine shows."""
        return asyncio.run(self._peer())

    async def _call(self, method: str, request: Any) -> Any:
        async with Channel(self.address, self.port, ssl=self._context()) as channel:
            stub: Any = StateStub(channel) if method in ("Get", "List") else MachineServiceStub(channel)
            return await getattr(stub, method)(request, timeout=DEADLINE_S)

    async def _peer(self) -> x509.Certificate:
        _, writer = await asyncio.open_connection(self.address, self.port, ssl=self._context())
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return x509.load_der_x509_certificate(der)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["h2"])
        if self.authority is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=self.authority.crt)
        if self.credentials is not None:
            path = self.folder / f"{secrets.token_hex(8)}.pem"
            path.write_text(
                self.credentials.crt + self.credentials.pem_key.replace("ED25519 PRIVATE KEY", "PRIVATE KEY")
            )
            context.load_cert_chain(path)
        return context
