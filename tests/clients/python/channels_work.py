"""Django Channels' layers on Redis: two processes' worth of layers send to channels and groups."""
import asyncio

import redis
from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from work import URL

connection = redis.Redis.from_url(URL)


async def silent(layer, channel):
    """Nothing arrives: what is sent to the channel afterwards is the next thing that does."""
    await layer.send(channel, {"type": "marker"})
    assert await asyncio.wait_for(layer.receive(channel), 10) == {"type": "marker"}


async def groups(kind, **options):
    here, there = kind([URL], **options), kind([URL], **options)
    ann, bob, carl = await here.new_channel(), await there.new_channel(), await there.new_channel()
    await there.send(ann, {"type": "greeting", "text": "naïve ☃", "numbers": [1, 2.5, None]})
    assert await asyncio.wait_for(here.receive(ann), 10) == {"type": "greeting", "text": "naïve ☃", "numbers": [1, 2.5, None]}
    await here.group_add("room", ann)
    await there.group_add("room", bob)
    await there.group_add("room", carl)
    await here.group_send("room", {"type": "said", "n": 1})
    for layer, channel in ((here, ann), (there, bob), (there, carl)):
        assert await asyncio.wait_for(layer.receive(channel), 10) == {"type": "said", "n": 1}
    await there.group_discard("room", carl)
    await there.group_send("room", {"type": "said", "n": 2})
    for layer, channel in ((here, ann), (there, bob)):
        assert await asyncio.wait_for(layer.receive(channel), 10) == {"type": "said", "n": 2}
    await silent(there, carl)
    waiting = asyncio.create_task(here.receive(ann))
    for n in range(50):
        await there.group_send("room", {"type": "said", "n": n})
    assert (await asyncio.wait_for(waiting, 10))["n"] == 0
    assert [(await asyncio.wait_for(here.receive(ann), 10))["n"] for _ in range(49)] == list(range(1, 50))
    await here.flush()
    await there.flush()
    for layer in (here, there):
        if hasattr(layer, "close_pools"):
            await layer.close_pools()


async def lists_and_scripts():
    await groups(RedisChannelLayer, capacity=100, symmetric_encryption_keys=[])
    layer = RedisChannelLayer([URL], capacity=3, prefix="small")
    for n in range(3):
        await layer.send("worker", {"type": "work", "n": n})
    try:
        await layer.send("worker", {"type": "work"})
        raise AssertionError("more than the capacity")
    except ChannelFull:
        pass
    # a group does not overfill a channel either
    await layer.group_add("all", "worker")
    await layer.group_send("all", {"type": "work"})
    assert connection.zcard("smallworker") == 3
    assert [(await layer.receive("worker"))["n"] for _ in range(3)] == [0, 1, 2]
    await layer.flush()
    assert connection.keys("small*") == []
    await layer.close_pools()


async def publish_and_subscribe():
    await groups(RedisPubSubChannelLayer)


steps = [lists_and_scripts, publish_and_subscribe]
