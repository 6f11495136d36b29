/* Makes the Nth call of a kind fail, to be loaded before a program with LD_PRELOAD.
 *
 * FAIL_UNDER  only files in this folder count
 * FAIL_KIND   write, sync, rename (also links) or open (only of new files)
 * FAIL_AT     N, counted from 1; every later call of the kind fails as well if FAIL_ON is set
 * FAIL_ERROR  the number of the error
 * FAIL_SEEN   a file that is made when a call has failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int under(const char *path) {
    const char *folder = getenv("FAIL_UNDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int file_under(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return under(path);
}

static int fails(const char *kind) {
    const char *wanted = getenv("FAIL_KIND"), *at = getenv("FAIL_AT"), *error = getenv("FAIL_ERROR");
    if (!wanted || !at || !error || strcmp(kind, wanted) != 0) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call != atol(at) && !(getenv("FAIL_ON") && call > atol(at))) return 0;
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    const char *seen = getenv("FAIL_SEEN");
    if (seen && real_open) close(real_open(seen, O_CREAT | O_WRONLY, 0600));
    errno = atoi(error);
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t n) {
    REAL(write);
    return file_under(fd) && fails("write") ? -1 : real(fd, bytes, n);
}

int fsync(int fd) {
    REAL(fsync);
    return file_under(fd) && fails("sync") ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return file_under(fd) && fails("sync") ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return under(to) && fails("rename") ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
    REAL(link);
    return under(to) && fails("rename") ? -1 : real(from, to);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    REAL(linkat);
    return under(to) && fails("rename") ? -1 : real(from_fd, from, to_fd, to, flags);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return flags & O_CREAT && under(path) && fails("open") ? -1 : real(path, flags, mode);
}
