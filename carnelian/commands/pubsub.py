# cython: language_level=3
"""Publish and subscribe: https://redis.io/docs/latest/develop/interact/pubsub/

A subscription answers with one message for each name: the verb, the name, and how many subscriptions the client now has
(of channels and patterns together; of shard channels apart).
"""
import cython
from cython.cimports.carnelian.base.glob import matches
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import SUBSCRIBED, Session

from carnelian.base.errors import ReplyError
from carnelian.base.replies import NO_REPLY, Status
from carnelian.keyspace import FAST, LOADING, MAY_REPLICATE, NOSCRIPT, PUBSUB, STALE, command

SUBSCRIPTION = PUBSUB | NOSCRIPT | LOADING | STALE
QUESTION = PUBSUB | LOADING | STALE


# --- subscribing ------------------------------------------------------------------------------------------------------


@cython.cfunc
def confirm(session: Session, verb: bytes, name, count: cython.Py_ssize_t) -> cython.int:
    session.writer.push(3)
    session.writer.encode(verb)
    session.writer.encode(name)
    session.writer.integer(count)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def subscriptions(session: Session, sharded: cython.bint) -> cython.Py_ssize_t:
    """How many the client has, as its confirmations count them."""
    return len(session.shard_channels) if sharded else len(session.channels) + len(session.patterns)


def subscribe_to(c: Call, verb, registry, own, names, sharded: cython.bint):
    session: Session = c.session
    for name in names:
        c.store.pubsub.add(registry, own, name, session)
        session.flags |= SUBSCRIBED
        confirm(session, verb, name, subscriptions(session, sharded))
    return NO_REPLY


def unsubscribe_from(c: Call, verb, registry, own, names, sharded: cython.bint):
    """Without names: from all of them."""
    session: Session = c.session
    for name in names or list(own) or (None,):
        if name is not None:
            c.store.pubsub.discard(registry, own, name, session)
        confirm(session, verb, name, subscriptions(session, sharded))
    if not (session.channels or session.patterns or session.shard_channels):
        session.flags &= ~SUBSCRIBED
    return NO_REPLY


@command("SUBSCRIBE channel [channel ...]", SUBSCRIPTION, since="2.0.0", group="pubsub",
         complexity="O(N), N being the number of channels")
def subscribe(c: Call, *channels):
    """Listen to channels."""
    return subscribe_to(c, b"subscribe", c.store.pubsub.channels, c.session.channels, channels, False)


@command("UNSUBSCRIBE [channel [channel ...]]", SUBSCRIPTION, since="2.0.0", group="pubsub",
         complexity="O(N), N being the number of channels")
def unsubscribe(c: Call, *channels):
    """Stop listening to channels, or to all of them."""
    return unsubscribe_from(c, b"unsubscribe", c.store.pubsub.channels, c.session.channels, channels, False)


@command("PSUBSCRIBE pattern [pattern ...]", SUBSCRIPTION, since="2.0.0", group="pubsub",
         complexity="O(N), N being the number of patterns")
def psubscribe(c: Call, *patterns):
    """Listen to all channels that match patterns."""
    return subscribe_to(c, b"psubscribe", c.store.pubsub.patterns, c.session.patterns, patterns, False)


@command("PUNSUBSCRIBE [pattern [pattern ...]]", SUBSCRIPTION, since="2.0.0", group="pubsub",
         complexity="O(N), N being the number of patterns")
def punsubscribe(c: Call, *patterns):
    """Stop listening to patterns, or to all of them."""
    return unsubscribe_from(c, b"punsubscribe", c.store.pubsub.patterns, c.session.patterns, patterns, False)


@command("SSUBSCRIBE shardchannel [shardchannel ...]", SUBSCRIPTION, since="7.0.0", group="pubsub",
         complexity="O(N), N being the number of shard channels")
def ssubscribe(c: Call, *channels):
    """Listen to shard channels."""
    return subscribe_to(c, b"ssubscribe", c.store.pubsub.shard_channels, c.session.shard_channels, channels, True)


@command("SUNSUBSCRIBE [shardchannel [shardchannel ...]]", SUBSCRIPTION, since="7.0.0", group="pubsub",
         complexity="O(N), N being the number of shard channels")
def sunsubscribe(c: Call, *channels):
    """Stop listening to shard channels, or to all of them."""
    return unsubscribe_from(c, b"sunsubscribe", c.store.pubsub.shard_channels, c.session.shard_channels, channels, True)


# --- publishing -------------------------------------------------------------------------------------------------------


@command("PUBLISH channel message", PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE, since="2.0.0", group="pubsub",
         complexity="O(N+M), N being the number of listeners of the channel and M that of all patterns")
def publish(c: Call, channel: bytes, message: bytes):
    """Send a message to everybody who listens to a channel; how many it reached."""
    return c.store.pubsub.publish(channel, message)


@command("SPUBLISH shardchannel message", PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE, since="7.0.0", group="pubsub",
         complexity="O(N), N being the number of listeners of the shard channel")
def spublish(c: Call, channel: bytes, message: bytes):
    """Send a message to everybody who listens to a shard channel; how many it reached."""
    return c.store.pubsub.publish_shard(channel, message)


# --- asking -----------------------------------------------------------------------------------------------------------


def active(c: Call, registry, pattern: tuple):
    if len(pattern) > 1:
        raise ReplyError(f"ERR unknown subcommand or wrong number of arguments for '{c.words[1].decode('latin-1')}'. "
                         "Try PUBSUB HELP.")
    return [name for name in registry if not pattern or matches(pattern[0], name)]


def listeners(registry, names: tuple):
    return [part for name in names for part in (name, len(registry.get(name, ())))]


@command("PUBSUB CHANNELS [pattern]", QUESTION, since="2.8.0", group="pubsub",
         complexity="O(N), N being the number of channels listened to")
def pubsub_channels(c: Call, *pattern):
    """Return the channels that somebody listens to."""
    return active(c, c.store.pubsub.channels, pattern)


@command("PUBSUB NUMSUB [channel [channel ...]]", QUESTION, since="2.8.0", group="pubsub",
         complexity="O(N), N being the number of channels asked for")
def pubsub_numsub(c: Call, *channels):
    """Return how many clients listen to each of the channels, patterns not counted."""
    return listeners(c.store.pubsub.channels, channels)


@command("PUBSUB NUMPAT", QUESTION, since="2.8.0", group="pubsub", complexity="O(1)")
def pubsub_numpat(c: Call):
    """Return how many different patterns are listened to."""
    return len(c.store.pubsub.patterns)


@command("PUBSUB SHARDCHANNELS [pattern]", QUESTION, since="7.0.0", group="pubsub",
         complexity="O(N), N being the number of shard channels listened to")
def pubsub_shardchannels(c: Call, *pattern):
    """Return the shard channels that somebody listens to."""
    return active(c, c.store.pubsub.shard_channels, pattern)


@command("PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]", QUESTION, since="7.0.0", group="pubsub",
         complexity="O(N), N being the number of shard channels asked for")
def pubsub_shardnumsub(c: Call, *channels):
    """Return how many clients listen to each of the shard channels."""
    return listeners(c.store.pubsub.shard_channels, channels)


HELP = """\
PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CHANNELS [<pattern>]
    List the channels that somebody listens to, all or the matching ones.
NUMPAT
    Count the different patterns that are listened to.
NUMSUB [<channel> ...]
    Count the listeners of each channel, those by pattern left out.
SHARDCHANNELS [<pattern>]
    List the shard channels that somebody listens to, all or the matching ones.
SHARDNUMSUB [<shardchannel> ...]
    Count the listeners of each shard channel.
HELP
    Show this text."""


@command("PUBSUB HELP", LOADING | STALE, since="6.2.0", group="pubsub", complexity="O(1)")
def pubsub_help(c: Call):
    """Explain the subcommands of PUBSUB."""
    return [Status(line.encode()) for line in HELP.split("\n")]
