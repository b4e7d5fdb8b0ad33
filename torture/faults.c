/* Lets writes and syncs of some files fail, for a program that is started with this in LD_PRELOAD.
 *
 * FAULTS_IN: the files, by a part of their path. FAULTS: a file with the order of the moment, one line:
 * "<name of the order> <call> <errno> <n>": from the n-th such call on, each fails, until there is another order.
 * <call> is pwrite or sync. No such file, or an empty one: nothing fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int is_meant(int file) {
    char link[64], path[4096];
    const char *part = getenv("FAULTS_IN");
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (part == NULL || length < 0) return 0;
    path[length] = '\0';
    return strstr(path, part) != NULL;
}

/* The errno this call has to fail with, or 0. */
static int fault(int file, const char *call) {
    static char present[64];
    static int count;
    char order[64] = "", wanted[16] = "";
    int number = 0, from = 0, found = 0;
    const char *path = getenv("FAULTS");
    if (path == NULL || !is_meant(file)) return 0;
    FILE *orders = fopen(path, "r");
    if (orders == NULL) return 0;
    int read = fscanf(orders, "%63s %15s %d %d", order, wanted, &number, &from);
    fclose(orders);
    if (read != 4 || strcmp(wanted, call) != 0) return 0;
    pthread_mutex_lock(&turn);
    if (strcmp(order, present) != 0) {
        strcpy(present, order);
        count = 0;
    }
    if (++count >= from) found = number;
    pthread_mutex_unlock(&turn);
    return found;
}

#define FAIL_OR(call, name, file, type, ...)                                   \
    int found = fault(file, call);                                             \
    if (found) {                                                               \
        errno = found;                                                         \
        return -1;                                                             \
    }                                                                          \
    static type real;                                                          \
    if (real == NULL) real = (type)dlsym(RTLD_NEXT, name);                     \
    return real(file, ##__VA_ARGS__)

typedef ssize_t (*Write)(int, const void *, size_t, off64_t);
typedef int (*Sync)(int);

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    FAIL_OR("pwrite", "pwrite", file, Write, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    FAIL_OR("pwrite", "pwrite64", file, Write, bytes, length, at);
}

int fsync(int file) { FAIL_OR("sync", "fsync", file, Sync); }

int fdatasync(int file) { FAIL_OR("sync", "fdatasync", file, Sync); }
