"""INFO: https://redis.io/docs/latest/commands/info/. The fields are those of Redis 7.2 that have a meaning here."""
import os
import platform
import struct
import sys
import time

from carnelian.base.replies import Verbatim
from carnelian.keyspace import LOADING, STALE, command
from carnelian.scripting.figures import ScriptFigures
from carnelian.server.words.figures import RUN_ID, Memory, Replication, human, machine_memory, processor_times
from carnelian.server.words.modules import MODULES
from carnelian.server.words.watching import all_commands
from carnelian.version import REDIS_VERSION, __version__

DEFAULT = {"server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "errorstats", "cluster", "keyspace"}
STARTED = time.time()


@command("INFO [section [section ...]]", LOADING | STALE, since="1.0.0", group="server", complexity="O(1)")
def info(c, *sections: bytes):
    """Show figures about the server, in sections."""
    wanted = {section.lower().decode("utf-8", "replace") for section in sections} or {"default"}
    if wanted & {"all", "everything"}:
        wanted = set(SECTIONS)
    elif "default" in wanted:
        wanted |= DEFAULT
    parts = [f"# {title}\r\n" + "".join(f"{name}:{value}\r\n" for name, value in fields(c))
             for name, (title, fields) in SECTIONS.items() if name in wanted]
    return Verbatim("\r\n".join(parts).encode("utf-8", "surrogateescape"))


def setting(c, name: str, default=0):
    config = c.engine.config
    return default if config is None else config[name]


def started(c) -> float:
    server = c.engine.server
    return STARTED if server is None else server.started


def server_fields(c):
    server = c.engine.server
    seconds = max(0, int(time.time() - started(c)))
    yield "redis_version", REDIS_VERSION
    yield "carnelian_version", __version__
    yield "redis_git_sha1", "00000000"
    yield "redis_git_dirty", 0
    yield "redis_build_id", "0"
    yield "redis_mode", "standalone" if c.engine.cluster is None else "cluster"
    yield "os", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "arch_bits", struct.calcsize("P") * 8
    yield "python_version", platform.python_version()
    yield "monotonic_clock", "POSIX clock_gettime"
    yield "multiplexing_api", "epoll" if sys.platform.startswith("linux") else "asyncio"
    yield "gcc_version", platform.python_compiler().removeprefix("GCC ")
    yield "process_id", os.getpid()
    yield "process_supervised", setting(c, "supervised", "no")
    yield "run_id", RUN_ID
    yield "tcp_port", setting(c, "port")
    yield "server_time_usec", time.time_ns() // 1000 + c.store.clock_offset * 1000
    yield "uptime_in_seconds", seconds
    yield "uptime_in_days", seconds // 86400
    yield "hz", setting(c, "hz", 10)
    yield "configured_hz", setting(c, "hz", 10)
    yield "lru_clock", (c.now // 1000) & 0xFFFFFF
    yield "executable", sys.executable
    yield "config_file", (c.engine.config and c.engine.config.file) or ""
    yield "io_threads_active", 0
    if server is not None:
        addresses = "".join(f",bind={address}" for address in setting(c, "bind"))
        if setting(c, "port"):
            yield "listener0", f"name=tcp{addresses},port={setting(c, 'port')}"
        if setting(c, "unixsocket"):
            yield "listener1", f"name=unix,bind={setting(c, 'unixsocket')}"


def client_fields(c):
    engine, waiters = c.engine, c.store.waiters
    sessions = engine.sessions.values()
    yield "connected_clients", len(sessions)
    yield "cluster_connections", 0
    yield "maxclients", setting(c, "maxclients", 10000)
    yield "client_recent_max_input_buffer", max((session.reader.size_in_memory for session in sessions), default=0)
    yield "client_recent_max_output_buffer", max((session.writer.size_in_memory for session in sessions), default=0)
    yield "blocked_clients", waiters.count
    yield "tracking_clients", len(engine.tracking.trackers)
    yield "clients_in_timeout_table", len(waiters.timed)
    yield "total_blocking_keys", len(waiters.by_key)
    yield "total_blocking_keys_on_nokey", len({place for blocked in waiting(waiters) if blocked.on_delete
                                               for place in ((blocked.database, key) for key in blocked.keys)})


def waiting(waiters):
    return {blocked for queue in waiters.by_key.values() for blocked in queue}


def memory_fields(c):
    memory, total, scripts = Memory(c.engine), machine_memory(), ScriptFigures(c.engine)
    resident = memory.data_resident
    limit = c.engine.maxmemory
    yield "used_memory", memory.used
    yield "used_memory_human", human(memory.used)
    yield "used_memory_rss", memory.resident
    yield "used_memory_rss_human", human(memory.resident)
    yield "used_memory_peak", memory.peak
    yield "used_memory_peak_human", human(memory.peak)
    yield "used_memory_peak_perc", f"{memory.used * 100 / memory.peak if memory.peak else 0:.2f}%"
    yield "used_memory_overhead", memory.overhead
    yield "used_memory_startup", 0
    yield "used_memory_dataset", memory.dataset
    yield "used_memory_dataset_perc", f"{memory.share(memory.dataset):.2f}%"
    yield "allocator_allocated", memory.used
    yield "allocator_active", resident
    yield "allocator_resident", resident
    yield "total_system_memory", total
    yield "total_system_memory_human", human(total)
    yield "used_memory_lua", scripts.lua
    yield "used_memory_vm_eval", scripts.lua
    yield "used_memory_lua_human", human(scripts.lua)
    yield "used_memory_scripts_eval", scripts.caches
    yield "number_of_cached_scripts", scripts.cached
    yield "number_of_functions", scripts.functions
    yield "number_of_libraries", scripts.libraries
    yield "used_memory_vm_functions", scripts.function_lua
    yield "used_memory_vm_total", scripts.lua + scripts.function_lua
    yield "used_memory_vm_total_human", human(scripts.lua + scripts.function_lua)
    yield "used_memory_functions", scripts.library_memory
    yield "used_memory_scripts", scripts.caches + scripts.library_memory
    yield "used_memory_scripts_human", human(scripts.caches + scripts.library_memory)
    yield "maxmemory", limit
    yield "maxmemory_human", human(limit)
    yield "maxmemory_policy", c.engine.eviction_policy
    yield "allocator_frag_ratio", "1.00"
    yield "allocator_frag_bytes", 0
    yield "allocator_rss_ratio", f"{resident / memory.used if memory.used else 0:.2f}"
    yield "allocator_rss_bytes", resident - memory.used
    yield "rss_overhead_ratio", f"{memory.resident / resident if resident else 0:.2f}"
    yield "rss_overhead_bytes", memory.resident - resident
    yield "mem_fragmentation_ratio", f"{memory.fragmentation:.2f}"
    yield "mem_fragmentation_bytes", memory.resident - memory.used
    yield "mem_not_counted_for_evict", 0
    yield "mem_replication_backlog", 0
    yield "mem_total_replication_buffers", 0
    yield "mem_clients_slaves", 0
    yield "mem_clients_normal", memory.clients
    yield "mem_cluster_links", 0
    yield "mem_aof_buffer", 0
    yield "mem_allocator", "pymalloc"
    yield "active_defrag_running", 0
    yield "lazyfree_pending_objects", c.store.pending_frees()
    yield "lazyfreed_objects", c.store.lazily_freed


def persistence_fields(c):
    files = c.engine.persistence
    loading, writing = (files.loading, files.writing) if files is not None else (None, None)
    saving = files is not None and files.is_saving
    rewriting = files is not None and files.is_rewriting
    total = writing.snapshot.total if writing is not None else 0
    done = writing.snapshot.keys if writing is not None else 0
    yield "loading", int(loading is not None)
    yield "async_loading", 0
    yield "current_cow_peak", 0
    yield "current_cow_size", 0
    yield "current_cow_size_age", 0
    yield "current_fork_perc", f"{100 * done / total:.2f}" if total else "0.00"
    yield "current_save_keys_processed", done
    yield "current_save_keys_total", total
    yield "rdb_changes_since_last_save", c.store.dirty
    yield "rdb_bgsave_in_progress", int(saving)
    yield "rdb_last_save_time", files.last_save if files is not None else int(started(c))
    yield "rdb_last_bgsave_status", "ok" if files is None or files.last_save_ok else "err"
    yield "rdb_last_bgsave_time_sec", files.last_save_seconds if files is not None else -1
    yield "rdb_current_bgsave_time_sec", int(time.monotonic() - writing.began) if saving else -1
    yield "rdb_saves", files.saves if files is not None else 0
    yield "rdb_last_cow_size", 0
    yield "rdb_last_load_keys_expired", files.expired_keys if files is not None else 0
    yield "rdb_last_load_keys_loaded", files.loaded_keys if files is not None else 0
    yield "aof_enabled", int(files is not None and files.aof is not None)
    yield "aof_rewrite_in_progress", int(rewriting)
    yield "aof_rewrite_scheduled", int(files is not None and files.rewrite_scheduled)
    yield "aof_last_rewrite_time_sec", files.last_rewrite_seconds if files is not None else -1
    yield "aof_current_rewrite_time_sec", int(time.monotonic() - writing.began) if rewriting else -1
    yield "aof_last_bgrewrite_status", "ok" if files is None or files.last_rewrite_ok else "err"
    yield "aof_rewrites", files.rewrites if files is not None else 0
    yield "aof_rewrites_consecutive_failures", files.rewrite_failures if files is not None else 0
    yield "aof_last_write_status", "ok" if files is None or files.aof is None or (files.aof.error or files.aof.sync_error) is None else "err"
    yield "aof_last_cow_size", 0
    yield "module_fork_in_progress", 0
    yield "module_fork_last_cow_size", 0
    if files is not None and files.aof is not None:
        yield "aof_current_size", files.aof.size
        yield "aof_base_size", files.aof.base_size
        yield "aof_pending_rewrite", 0
        yield "aof_buffer_length", len(files.aof.journal)
        yield "aof_pending_bio_fsync", int(files.aof.syncer.busy)
        yield "aof_delayed_fsync", files.aof.delayed
    if loading is not None:
        yield "loading_start_time", int(loading.started)
        yield "loading_total_bytes", loading.total
        yield "loading_loaded_bytes", loading.loaded
        yield "loading_loaded_perc", f"{loading.percent:.2f}"
        yield "loading_eta_seconds", loading.seconds_left


def statistics_fields(c):
    engine, store, samples = c.engine, c.store, c.engine.samples
    clients = engine.server.clients if engine.server is not None else None
    errors = sum(engine.error_counts.values())

    def counted(name):
        return getattr(clients, name) if clients is not None else 0

    yield "total_connections_received", counted("received")
    yield "total_commands_processed", engine.processed
    yield "instantaneous_ops_per_sec", round(samples.rate("processed"))
    yield "total_net_input_bytes", counted("bytes_in")
    yield "total_net_output_bytes", counted("bytes_out")
    yield "total_net_repl_input_bytes", 0
    yield "total_net_repl_output_bytes", 0
    yield "instantaneous_input_kbps", f"{samples.rate('bytes_in') / 1024:.2f}"
    yield "instantaneous_output_kbps", f"{samples.rate('bytes_out') / 1024:.2f}"
    yield "instantaneous_input_repl_kbps", "0.00"
    yield "instantaneous_output_repl_kbps", "0.00"
    yield "rejected_connections", counted("rejected")
    yield "sync_full", 0
    yield "sync_partial_ok", 0
    yield "sync_partial_err", 0
    yield "expired_keys", store.expired
    yield "expired_subkeys", store.expired_fields
    yield "expired_stale_perc", "0.00"
    yield "expired_time_cap_reached_count", 0
    yield "expire_cycle_cpu_milliseconds", 0
    yield "evicted_keys", store.evicted
    yield "evicted_clients", 0
    yield "evicted_scripts", ScriptFigures(c.engine).evicted
    yield "total_eviction_exceeded_time", 0
    yield "current_eviction_exceeded_time", 0
    yield "keyspace_hits", store.hits
    yield "keyspace_misses", store.misses
    yield "pubsub_channels", len(store.pubsub.channels)
    yield "pubsub_patterns", len(store.pubsub.patterns)
    yield "pubsubshard_channels", len(store.pubsub.shard_channels)
    yield "latest_fork_usec", 0
    yield "total_forks", 0
    yield "migrate_cached_sockets", 0
    yield "slave_expires_tracked_keys", 0
    for name in ("hits", "misses", "key_hits", "key_misses"):
        yield f"active_defrag_{name}", 0
    yield "total_active_defrag_time", 0
    yield "current_active_defrag_time", 0
    yield "tracking_total_keys", len(engine.tracking.table)
    yield "tracking_total_items", engine.tracking.items
    yield "tracking_total_prefixes", len(engine.tracking.prefixes)
    yield "unexpected_error_replies", 0
    yield "total_error_replies", errors
    yield "dump_payload_sanitizations", 0
    yield "total_reads_processed", counted("reads")
    yield "total_writes_processed", counted("writes")
    yield "io_threaded_reads_processed", 0
    yield "io_threaded_writes_processed", 0
    yield "client_query_buffer_limit_disconnections", counted("query_buffer_disconnections")
    yield "client_output_buffer_limit_disconnections", counted("output_buffer_disconnections")
    yield "reply_buffer_shrinks", 0
    yield "reply_buffer_expands", 0
    for what, count in engine.acl.denied.items():
        yield f"acl_access_denied_{what}", count


def replication_fields(c):
    yield "role", "master"
    yield "connected_slaves", 0
    yield "master_failover_state", "no-failover"
    yield "master_replid", Replication.id
    yield "master_replid2", "0" * 40
    yield "master_repl_offset", 0
    yield "second_repl_offset", -1
    yield "repl_backlog_active", 0
    yield "repl_backlog_size", setting(c, "repl-backlog-size", 1 << 20)
    yield "repl_backlog_first_byte_offset", 0
    yield "repl_backlog_histlen", 0


def processor_fields(c):
    for name, seconds in processor_times().items():
        yield name, f"{seconds:.6f}"


def module_fields(c):
    for name, version in MODULES.items():
        yield "module", f"name={name},ver={version},api=1,filters=0,usedby=[],using=[],options=[]"


def command_fields(c):
    for bound in all_commands(c.engine):
        if bound.calls or bound.failed or bound.rejected:
            microseconds = bound.nanoseconds // 1000
            each = bound.nanoseconds / 1000 / bound.calls if bound.calls else 0
            yield f"cmdstat_{bound.name}", (f"calls={bound.calls},usec={microseconds},usec_per_call={each:.2f},"
                                            f"rejected_calls={bound.rejected},failed_calls={bound.failed}")


def error_fields(c):
    for code, count in sorted(c.engine.error_counts.items()):
        yield f"errorstat_{code.replace(':', '_').replace(chr(10), '_').replace(chr(13), '_')}", f"count={count}"


def latency_fields(c):
    percentiles = setting(c, "latency-tracking-info-percentiles", [50.0, 99.0, 99.9])
    for bound in all_commands(c.engine):
        histogram = bound.histogram() if bound.calls else {}
        if histogram:
            yield f"latency_percentiles_usec_{bound.name}", ",".join(
                f"p{percentile:g}={percentile_of(histogram, percentile):.3f}" for percentile in percentiles)


def percentile_of(histogram: dict, percentile: float) -> float:
    """Microseconds below which that share of the calls stayed: the upper bound of their power of two."""
    wanted, seen, bound = sum(histogram.values()) * percentile / 100, 0, 0
    for bound, count in histogram.items():
        seen += count
        if seen >= wanted:
            break
    return float(bound)


def cluster_fields(c):
    yield "cluster_enabled", int(c.engine.cluster is not None)


def keyspace_fields(c):
    for database in c.store.databases:
        if len(database):
            yield f"db{database.index}", (f"keys={len(database)},expires={database.volatile_count},"
                                          f"avg_ttl={database.average_ttl()},subexpiry={database.volatile_hashes}")


SECTIONS = {
    "server": ("Server", server_fields), "clients": ("Clients", client_fields), "memory": ("Memory", memory_fields),
    "persistence": ("Persistence", persistence_fields), "stats": ("Stats", statistics_fields),
    "replication": ("Replication", replication_fields), "cpu": ("CPU", processor_fields), "modules": ("Modules", module_fields),
    "commandstats": ("Commandstats", command_fields), "errorstats": ("Errorstats", error_fields),
    "latencystats": ("Latencystats", latency_fields), "cluster": ("Cluster", cluster_fields), "keyspace": ("Keyspace", keyspace_fields)}
