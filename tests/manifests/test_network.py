"""Who may talk to whom, by the rules of NetworkPolicy: what no policy allows is denied."""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest

from tests.manifests.documents import golden

NAMESPACE = "kubernetes.io/metadata.name"
PART = {"app.kubernetes.io/part-of": "tenantry"}
KUBEFLOW, DNS = {NAMESPACE: "kubeflow"}, {NAMESPACE: "kube-system"}


@dataclass(frozen=True)
class Peer:
    """Where a connection goes: a pod of some namespace, or an address."""

    labels: dict = field(default_factory=dict)
    namespace: dict | None = None
    address: str = ""


def stage(name):
    return {**PART, "tenantry/stage": name}


def selected(selector, labels):
    wanted = selector.get("matchLabels", {})
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for one in selector.get("matchExpressions", ()):
        has = one["key"] in labels
        among = labels.get(one["key"]) in one.get("values", ())
        if not {"In": among, "NotIn": not among, "Exists": has}[one["operator"]]:
            return False
    return True


def meant(rule, peer):
    if "ipBlock" in rule:
        block = ip_network(rule["ipBlock"]["cidr"])
        return bool(peer.address) and ip_address(peer.address) in block
    if peer.address:
        return False
    if "namespaceSelector" in rule:
        if peer.namespace is None or not selected(rule["namespaceSelector"], peer.namespace):
            return False
    elif peer.namespace is not None:
        return False
    return selected(rule.get("podSelector", {}), peer.labels)


def may_reach(overlay, labels, peer, port):
    return is_allowed("Egress", "to", overlay, labels, peer, port)


def may_be_reached(overlay, labels, peer, port):
    return is_allowed("Ingress", "from", overlay, labels, peer, port)


def is_allowed(direction, end, overlay, labels, peer, port):
    policies = [one["spec"] for one in golden(overlay) if one["kind"] == "NetworkPolicy"]
    mine = [
        one
        for one in policies
        if direction in one["policyTypes"] and selected(one["podSelector"], labels)
    ]
    assert mine, "no policy selects it: everything would be allowed"
    return any(
        any(meant(one, peer) for one in rule[end])
        and any(allowed["port"] == port for allowed in rule["ports"])
        for policy in mine
        for rule in policy.get(direction.lower(), ())
    )


STORE = {
    "dev": (Peer(address="192.0.2.17"), 443),
    "prod": (Peer(address="192.0.2.17"), 443),
}
SYNC = {**PART, "app.kubernetes.io/component": "sync"}
DRIVER = {"pipeline/runid": "x"}
STAGES = ("plan", "ingest", "train", "monitor", "report", "check_fleet", "train_pooled")


@pytest.mark.parametrize("overlay", STORE)
def test_stages_and_the_sync_job_reach_store_kubeflow_and_names(overlay):
    for labels in (*map(stage, STAGES), SYNC):
        assert may_reach(overlay, labels, *STORE[overlay])
        assert may_reach(overlay, labels, Peer(namespace=KUBEFLOW), 8887)
        assert may_reach(overlay, labels, Peer({"k8s-app": "kube-dns"}, DNS), 53)


@pytest.mark.parametrize("overlay", STORE)
def test_only_stages_that_read_sources_reach_them(overlay):
    source = Peer(address="192.0.2.33")
    reaching = {name for name in STAGES if may_reach(overlay, stage(name), source, 5432)}
    assert reaching == {"ingest", "train_pooled"}
    assert not may_reach(overlay, SYNC, source, 5432)


@pytest.mark.parametrize("overlay", STORE)
def test_nobody_reaches_anything_else(overlay):
    others = [
        (Peer(address="203.0.113.9"), 443),
        (Peer(address="169.254.169.254"), 80),
        (Peer({"app": "other"}), 8080),
        (Peer({"app": "other"}, {NAMESPACE: "default"}), 443),
        (Peer(namespace=KUBEFLOW), 22),
        (Peer({"k8s-app": "other"}, DNS), 53),
    ]
    for labels in (*map(stage, STAGES), SYNC, DRIVER):
        for peer, port in others:
            assert not may_reach(overlay, labels, peer, port), (labels, peer, port)


SERVER = {**PART, "app.kubernetes.io/component": "serve"}


@pytest.mark.parametrize("overlay", STORE)
def test_servers_reach_the_store_and_names_and_nothing_else(overlay):
    assert may_reach(overlay, SERVER, *STORE[overlay])
    assert may_reach(overlay, SERVER, Peer({"k8s-app": "kube-dns"}, DNS), 53)
    for peer, port in (
        (Peer(namespace=KUBEFLOW), 8888),
        (Peer(address="192.0.2.9"), 443),
        (Peer(address="10.0.0.1"), 443),
        (Peer(address="192.0.2.33"), 5432),
        (Peer(SERVER), 8080),
    ):
        assert not may_reach(overlay, SERVER, peer, port)


@pytest.mark.parametrize(
    ("namespace", "overlays"),
    [
        ({"tenantry/predictions": "allowed"}, {"dev", "prod"}),
        ({NAMESPACE: "monitoring"}, {"prod"}),
        ({NAMESPACE: "default"}, set()),
        (KUBEFLOW, set()),
        (None, set()),
    ],
)
def test_servers_are_reached_from_where_predictions_are_allowed(namespace, overlays):
    peer = Peer(PART, namespace)
    assert {one for one in STORE if may_be_reached(one, SERVER, peer, 8080)} == overlays
    assert not any(may_be_reached(one, stage("plan"), peer, 8080) for one in STORE)


def test_drivers_reach_kubeflow_but_not_the_store():
    assert may_reach("prod", DRIVER, Peer(namespace=KUBEFLOW), 8887)
    assert not may_reach("prod", DRIVER, *STORE["prod"])
