# The two clocks, without a Python object.
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <time.h>
    #ifdef _WIN32
    #include <windows.h>
    static int64_t carnelian_wall_us(void) {
        struct timespec t; timespec_get(&t, TIME_UTC);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    }
    static int64_t carnelian_steady_ns(void) {
        LARGE_INTEGER c, f; QueryPerformanceCounter(&c); QueryPerformanceFrequency(&f);
        return (int64_t)((double)c.QuadPart * 1e9 / (double)f.QuadPart);
    }
    #else
    static int64_t carnelian_wall_us(void) {
        struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    }
    static int64_t carnelian_steady_ns(void) {
        struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    }
    #endif
    """
    int64_t wall_microseconds "carnelian_wall_us"() noexcept nogil          # since the epoch
    int64_t steady_nanoseconds "carnelian_steady_ns"() noexcept nogil      # never goes back; for durations

cdef inline int64_t milliseconds() noexcept nogil:
    return wall_microseconds() // 1000
