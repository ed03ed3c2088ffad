# cython: language_level=3
"""CLUSTER and the words that cluster clients say: https://redis.io/docs/latest/commands/cluster-shards/

One node owns all the slots. What changes a cluster (MEET, ADDSLOTS, SETSLOT, FAILOVER, ...) is not there.
"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import READONLY_MODE

from carnelian.base.errors import ReplyError
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Verbatim
from carnelian.engine.cluster import SLOTS, count_keys, key_slot, keys_in_slot
from carnelian.keyspace import ADMIN, FAST, LOADING, STALE, command
from carnelian.server.words.common import help_text, text_of


def cluster_of(c: Call):
    """The engine's Cluster. ReplyError where it has none."""
    cluster = c.engine.cluster
    if cluster is None:
        raise ReplyError("ERR This instance has cluster support disabled")
    return cluster


class Node:
    """This node as it is announced to the client that asks.

    Without cluster-announce-ip its address is the one by which that client has reached it.
    """

    def __init__(self, c: Call):
        config, cluster = c.engine.config, cluster_of(c)
        self.id, self.shard_id = cluster.node_id, cluster.shard_id
        host = c.session.local_address.rpartition(":")[0].strip("[]")
        self.ip = config["cluster-announce-ip"] or ("" if "/" in host else host)
        self.port = config["cluster-announce-port"] or config["port"]
        self.bus_port = config["cluster-announce-bus-port"] or config["cluster-port"] or self.port + 10000
        self.hostname = config["cluster-announce-hostname"]
        self.preferred = config["cluster-preferred-endpoint-type"]

    @property
    def endpoint(self) -> str:
        """Where clients shall connect to; empty if that is not to be told."""
        if self.preferred == "ip":
            return self.ip
        return (self.hostname or "?") if self.preferred == "hostname" else ""

    @property
    def other_names(self) -> dict:
        """What is known of the address beside the endpoint."""
        found = {}
        if self.preferred != "ip":
            found["ip"] = self.ip
        if self.preferred != "hostname" and self.hostname:
            found["hostname"] = self.hostname
        return found


def slot_number(word: bytes) -> int:
    """A slot; -1 if it is out of range."""
    number = parse_integer(word)
    return number if 0 <= number < SLOTS else -1


def check_node(c: Call, name: bytes) -> None:
    if text_of(name) != cluster_of(c).node_id:
        raise ReplyError(f"ERR Unknown node {text_of(name)}")


@command("CLUSTER INFO", STALE, since="3.0.0", group="cluster", complexity="O(1)")
def cluster_info(c: Call):
    """Show the state of the cluster."""
    cluster_of(c)
    fields = {"cluster_state": "ok", "cluster_slots_assigned": SLOTS, "cluster_slots_ok": SLOTS, "cluster_slots_pfail": 0,
              "cluster_slots_fail": 0, "cluster_known_nodes": 1, "cluster_size": 1, "cluster_current_epoch": 0,
              "cluster_my_epoch": 0, "cluster_stats_messages_sent": 0, "cluster_stats_messages_received": 0,
              "total_cluster_links_buffer_limit_exceeded": 0}
    return Verbatim("".join(f"{name}:{value}\r\n" for name, value in fields.items()).encode())


@command("CLUSTER NODES", STALE, since="3.0.0", group="cluster", complexity="O(N), N being the number of nodes")
def cluster_nodes(c: Call):
    """List the nodes, one a line: there is one."""
    node = Node(c)
    hostname = f",{node.hostname}" if node.hostname else ""
    return Verbatim(f"{node.id} {node.ip}:{node.port}@{node.bus_port}{hostname} myself,master - 0 0 0 connected "
                    f"0-{SLOTS - 1}\n".encode())


@command("CLUSTER SLOTS", STALE, since="3.0.0", group="cluster", complexity="O(N), N being the number of nodes")
def cluster_slots(c: Call):
    """List ranges of slots with the nodes that serve them."""
    node = Node(c)
    endpoint = None if node.preferred == "unknown-endpoint" else node.endpoint
    return [[0, SLOTS - 1, [endpoint, node.port, node.id, node.other_names]]]


@command("CLUSTER SHARDS", STALE, since="7.0.0", group="cluster", complexity="O(N), N being the number of nodes")
def cluster_shards(c: Call):
    """List the shards: their slots and their nodes."""
    node = Node(c)
    described = {"id": node.id, "port": node.port, "ip": node.ip, "endpoint": node.endpoint}
    if node.hostname:
        described["hostname"] = node.hostname
    described.update({"role": "master", "replication-offset": 0, "health": "online"})
    return [{"slots": [0, SLOTS - 1], "nodes": [described]}]


@command("CLUSTER MYID", STALE, since="3.0.0", group="cluster", complexity="O(1)")
def cluster_myid(c: Call):
    """Return the name of this node."""
    return cluster_of(c).node_id


@command("CLUSTER MYSHARDID", STALE, since="7.2.0", group="cluster", complexity="O(1)")
def cluster_myshardid(c: Call):
    """Return the name of this node's shard."""
    return cluster_of(c).shard_id


@command("CLUSTER KEYSLOT key", STALE, since="3.0.0", group="cluster", complexity="O(N), N bytes of the key")
def cluster_keyslot(c: Call, key: bytes):
    """Return the slot of a key."""
    cluster_of(c)
    return key_slot(key)


@command("CLUSTER COUNTKEYSINSLOT slot", STALE, since="3.0.0", group="cluster", complexity="O(N), N keys of the database")
def cluster_countkeysinslot(c: Call, slot: bytes):
    """Count the keys of a slot."""
    cluster_of(c)
    number = slot_number(slot)
    if number < 0:
        raise ReplyError("ERR Invalid slot")
    return count_keys(c.db, number)


@command("CLUSTER GETKEYSINSLOT slot count", STALE, since="3.0.0", group="cluster",
         complexity="O(N), N keys of the database, of which fewer are looked at when enough are found")
def cluster_getkeysinslot(c: Call, slot: bytes, count: bytes):
    """Return up to so many keys of a slot."""
    cluster_of(c)
    number, limit = slot_number(slot), parse_integer(count)
    if number < 0 or limit < 0:
        raise ReplyError("ERR Invalid slot or number of keys")
    return keys_in_slot(c.db, number, limit)


@command("CLUSTER LINKS", STALE, since="7.0.0", group="cluster", complexity="O(N), N being the number of nodes")
def cluster_links(c: Call):
    """List the connections to other nodes: none."""
    cluster_of(c)
    return []


@command("CLUSTER COUNT-FAILURE-REPORTS node-id", ADMIN | STALE, since="3.0.0", group="cluster", complexity="O(1)")
def cluster_count_failure_reports(c: Call, node: bytes):
    """Count the nodes that report another one's failure."""
    check_node(c, node)
    return 0


@command("CLUSTER REPLICAS node-id", ADMIN | STALE, since="5.0.0", group="cluster", complexity="O(1)")
@command("CLUSTER SLAVES node-id", ADMIN | STALE, since="3.0.0", group="cluster", complexity="O(1)")
def cluster_replicas(c: Call, node: bytes):
    """List the replicas of a node: none."""
    check_node(c, node)
    return []


HELP = """
COUNT-FAILURE-REPORTS <node-id>
    Count the nodes that report the failure of another.
COUNTKEYSINSLOT <slot>
    Count the keys of a slot.
GETKEYSINSLOT <slot> <count>
    List so many keys of a slot.
INFO
    Show the state of the cluster.
KEYSLOT <key>
    Give the slot of a key.
LINKS
    List the connections to other nodes.
MYID
    Give the name of this node.
MYSHARDID
    Give the name of this node's shard.
NODES
    List the nodes: <id> <ip:port@bus-port> <flags> <master> <ping> <pong> <epoch>
    <link> <slots>
REPLICAS <node-id>
    List the replicas of a node.
SHARDS
    List the shards: their slots and their nodes.
SLOTS
    List the ranges of slots, with the addresses that serve them.
"""


@command("CLUSTER HELP", LOADING | STALE, since="5.0.0", group="cluster", complexity="O(1)")
def cluster_help(c: Call):
    """Explain the subcommands of CLUSTER."""
    cluster_of(c)
    return help_text("CLUSTER", HELP)


# --- what cluster clients say on connecting ---------------------------------------------------------------------------


@command("READONLY", LOADING | STALE | FAST, since="3.0.0", group="cluster", complexity="O(1)")
def readonly(c: Call):
    """Allow reading from a replica on this connection."""
    cluster_of(c)
    c.session.flags |= READONLY_MODE
    return OK


@command("READWRITE", LOADING | STALE | FAST, since="3.0.0", group="cluster", complexity="O(1)")
def readwrite(c: Call):
    """End what READONLY has allowed."""
    cluster_of(c)
    c.session.flags &= ~READONLY_MODE
    return OK


@command("ASKING", FAST, since="3.0.0", group="cluster", complexity="O(1)")
def asking(c: Call):
    """Announce that the next command follows a redirection; no slot is ever on its way here."""
    cluster_of(c)
    return OK
