/* Preloaded into a server: write, fdatasync and fsync fail on files below a directory, as a file says.

   FAULT_DIRECTORY: the directory. FAULT_SWITCH: a file of words `write ERRNO` or `sync ERRNO`; missing or empty: all is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fault(int descriptor, const char *what)
{
    char link[64], path[4096], word[16];
    const char *directory = getenv("FAULT_DIRECTORY"), *name = getenv("FAULT_SWITCH");
    int number, saved = errno, found = 0;
    ssize_t size;
    FILE *file;

    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    size = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (size < 0 || !directory || !name)
        return 0;
    path[size] = 0;
    if (strncmp(path, directory, strlen(directory)) != 0)
        return 0;
    file = fopen(name, "r");
    if (file) {
        while (!found && fscanf(file, "%15s %d", word, &number) == 2)
            if (strcmp(word, what) == 0)
                found = number;
        fclose(file);
    }
    errno = saved;
    return found;
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    static ssize_t (*next)(int, const void *, size_t);
    int number;

    if (!next)
        next = dlsym(RTLD_NEXT, "write");
    if (descriptor > 2 && (number = fault(descriptor, "write"))) {
        errno = number;
        return -1;
    }
    return next(descriptor, data, size);
}

static int sync_with(const char *name, int descriptor)
{
    int (*next)(int) = dlsym(RTLD_NEXT, name);
    int number = fault(descriptor, "sync");

    if (number) {
        errno = number;
        return -1;
    }
    return next(descriptor);
}

int fdatasync(int descriptor)
{
    return sync_with("fdatasync", descriptor);
}

int fsync(int descriptor)
{
    return sync_with("fsync", descriptor);
}
