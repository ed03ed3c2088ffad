"""Django's cache and sessions with django-redis."""
import threading
import time

import django
from django.conf import settings

from work import URL, until

settings.configure(
    CACHES={
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL, "KEY_PREFIX": "site", "TIMEOUT": 300},
        "packed": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL, "KEY_PREFIX": "packed", "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.msgpack.MSGPackSerializer",
            "COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}},
        "herd": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL, "KEY_PREFIX": "herd", "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.HerdClient"}},
        "django": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": URL, "KEY_PREFIX": "django"},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache", INSTALLED_APPS=["django.contrib.sessions"], SECRET_KEY="x")
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import caches  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402


def every_cache():
    for cache in caches.all(initialized_only=False):
        cache.set("brief", 1, timeout=1)
    for name in settings.CACHES:
        cache = caches[name]
        value = {"text": "naïve ☃", "numbers": [1, 2.5], "long": "x" * 10_000}
        cache.set("key", value, timeout=100)
        assert cache.get("key") == value and cache.get("nothing", "default") == "default"
        assert cache.add("key", 1) is False and cache.add("other", 1) is True
        cache.set_many({f"many:{n}": n for n in range(50)}, timeout=100)
        assert cache.get_many([f"many:{n}" for n in range(60)]) == {f"many:{n}": n for n in range(50)}
        assert cache.touch("key", 50) is True
        assert cache.get_or_set("computed", lambda: 42) == 42
        cache.delete_many(["many:0", "many:1"])
        assert cache.delete("other") and "other" not in cache and "many:2" in cache
        if name != "herd":
            cache.set("count", 5)
            assert (cache.incr("count", 3), cache.decr("count")) == (8, 7)
            try:
                cache.incr("missing")
                raise AssertionError("no such key")
            except ValueError:
                pass
            cache.set("versioned", "two", version=2)
            assert cache.get("versioned") is None and cache.get("versioned", version=2) == "two"
            cache.incr_version("versioned", version=2)
            assert cache.get("versioned", version=3) == "two"
    until("the brief ones have gone", lambda: all(cache.get("brief") is None for cache in caches.all()))


def more_of_django_redis():
    cache = caches["default"]
    cache.set_many({f"user:{n}": n for n in range(100)})
    assert sorted(cache.iter_keys("user:9*")) == sorted(["user:9", *(f"user:9{n}" for n in range(10))])
    assert len(cache.keys("user:*")) == 100
    assert cache.delete_pattern("user:1*", itersize=7) == 11 and len(cache.keys("user:*")) == 89
    cache.set("ttl", 1, timeout=100)
    assert 90 < cache.ttl("ttl") <= 100 and cache.persist("ttl") and cache.ttl("ttl") is None
    assert cache.pexpire("ttl", 50_000) and 0 < cache.pttl("ttl") <= 50_000
    assert cache.set("ttl", 2, nx=True) in (False, None) and cache.ttl("nothing") == 0
    huge = 2 ** 70
    cache.set("huge", huge)
    assert cache.incr("huge") == huge + 1
    assert cache.sadd("set", 1, 2, 3) == 3 and cache.smembers("set") == {1, 2, 3}
    cache.zadd("ranking", {"ann": 3, "bob": 1})
    assert cache.zrange("ranking", 0, -1) == ["bob", "ann"]
    assert get_redis_connection("default").info("server")["redis_version"]


def locks():
    cache = caches["default"]
    inside, most, total = 0, 0, 0

    def work():
        nonlocal inside, most, total
        for _ in range(5):
            with cache.lock("resource", timeout=10, sleep=0.002):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1
                total += 1
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, total) == (1, 20)


def sessions():
    session = SessionStore()
    session["cart"] = ["stone"]
    session.set_expiry(100)
    session.save()
    assert SessionStore(session.session_key)["cart"] == ["stone"]
    old = session.session_key
    session.cycle_key()
    assert not SessionStore().exists(old) and SessionStore(session.session_key)["cart"] == ["stone"]
    session.flush()
    assert not SessionStore().exists(old)


steps = [every_cache, more_of_django_redis, locks, sessions]
