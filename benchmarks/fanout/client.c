/* Many WebSocket clients on one thread, which read frames, look at their heads, and count them.

   client PORT CLIENTS ADDRESSES PARALLEL FIRST [SUBSCRIPTION]

   Connects from ADDRESSES addresses of 127.0.0.0/8 in turn, with PARALLEL handshakes under way at once; with FIRST 1 it
   waits until each client has a frame. Prints {"opened": seconds until the last handshake was answered, "first": until the
   last client had its frame, or 0}. Then obeys lines of its standard input:

   count SECONDS   counts what comes
   await TEXT      answers "ready"; then waits until each client has a frame that contains the text, and prints when the
                   first and the last had it, by CLOCK_MONOTONIC

   It ends with its standard input. A frame that no server may send ends it with a message. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define ROOM (4 * 1024 * 1024) /* of the longest frame */
#define READ (256 * 1024)
#define FIRST_SECONDS 30.0

enum kind { WHOLE, CHANGED, ERROR, OTHER, KINDS };
static const char *const NAMES[KINDS] = {"asset_data", "asset_changed", "error", "other"};

struct client {
    int fd, is_open, has_first, has_seen;
    char *kept; /* the beginning of a frame */
    size_t size;
};

static struct client *clients;
static int wanted, begun, opened, with_first, seen, poller, addresses, port;
static const char *subscription;
static char buffer[ROOM + READ], text[512];
static double first_seen, last_seen, last_first;
static unsigned long long frames[KINDS], bytes[KINDS];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "client of the benchmark: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static void begin(void) {
    static const char HEAD[] = "GET /ws/state HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    int number = begun++, on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    from.sin_addr.s_addr = htonl(0x7f000101u + (unsigned)(number % addresses));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from)) fail("no socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) fail("cannot connect");
    if (send(fd, HEAD, sizeof HEAD - 1, MSG_NOSIGNAL) != sizeof HEAD - 1) fail("cannot send");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    clients[number] = (struct client){.fd = fd};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)number};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

/* A frame to the server; its mask is zero. */
static void say(int fd, int code, const char *what, size_t size) {
    unsigned char frame[8 + 1024] = {(unsigned char)(0x80 | code)};
    size_t head = size < 126 ? 6 : 8;
    if (size > 1024) fail("a long message");
    frame[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
    if (size >= 126) frame[2] = (unsigned char)(size >> 8), frame[3] = (unsigned char)size;
    memcpy(frame + head, what, size);
    if (send(fd, frame, head + size, MSG_NOSIGNAL) < 0) fail("cannot send");
}

static enum kind kind_of(const char *payload, size_t size) {
    static const char BEFORE[] = "{\"type\":\"";
    const size_t skipped = sizeof BEFORE - 1;
    for (int kind = 0; kind < OTHER; kind++) {
        size_t letters = strlen(NAMES[kind]);
        if (size > skipped + letters && !memcmp(payload, BEFORE, skipped) &&
            !memcmp(payload + skipped, NAMES[kind], letters) && payload[skipped + letters] == '"')
            return (enum kind)kind;
    }
    return OTHER;
}

static void take(struct client *client, int code, const char *payload, size_t size) {
    if (code == 9) say(client->fd, 10, payload, size);
    if (code == 8) fail("the server closes a connection");
    if (code != 1) return;
    if (size < 2 || payload[0] != '{' || payload[size - 1] != '}') fail("a frame is not an object");
    enum kind kind = kind_of(payload, size);
    frames[kind]++;
    bytes[kind] += size;
    if (kind > CHANGED) return;
    if (!client->has_first) client->has_first = 1, with_first++, last_first = now();
    if (*text && !client->has_seen && memmem(payload, size, text, strlen(text))) {
        client->has_seen = 1;
        last_seen = now();
        if (!seen++) first_seen = last_seen;
    }
}

/* Take the whole frames of what has come; gives the number of their bytes. */
static size_t take_frames(struct client *client, const char *from, size_t size) {
    size_t at = 0;
    while (size - at >= 2) {
        const unsigned char *head = (const unsigned char *)from + at;
        size_t length = head[1], skipped = length == 126 ? 4 : length == 127 ? 10 : 2;
        if ((head[0] & 0xf0) != 0x80 || length > 127) fail("a frame is not whole, or masked");
        if (size - at < skipped) break;
        if (skipped > 2) length = 0;
        for (size_t each = 2; each < skipped; each++) length = length << 8 | head[each];
        if (length > ROOM) fail("a frame is too long");
        if (size - at - skipped < length) break;
        take(client, head[0] & 15, from + at + skipped, length);
        at += skipped + length;
    }
    return at;
}

static size_t answered(struct client *client, const char *from, size_t size) {
    const char *end = memmem(from, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(from, "HTTP/1.1 101", 12)) fail("a handshake is refused");
    client->is_open = 1;
    opened++;
    if (*subscription) say(client->fd, 1, subscription, strlen(subscription));
    if (begun < wanted) begin();
    return (size_t)(end + 4 - from);
}

static void hear(struct client *client) {
    size_t had = client->size;
    if (had) memcpy(buffer, client->kept, had);
    ssize_t came = recv(client->fd, buffer + had, READ, 0);
    if (came < 0 && errno == EAGAIN) return;
    if (came <= 0) fail("a connection is lost");
    size_t size = had + (size_t)came, at = client->is_open ? 0 : answered(client, buffer, size);
    if (client->is_open) at += take_frames(client, buffer + at, size - at);
    client->size = size - at;
    if (client->size > had || (had && !client->size)) {
        free(client->kept);
        client->kept = client->size ? malloc(client->size) : NULL;
    }
    if (client->size) memcpy(client->kept, buffer + at, client->size);
}

/* Hear for so long at most; gives the number of those heard. */
static int hear_all(double seconds) {
    struct epoll_event events[EVENTS];
    int found = epoll_wait(poller, events, EVENTS, seconds <= 0 ? 0 : (int)(seconds * 1000) + 1);
    for (int each = 0; each < found; each++)
        if (events[each].data.u32 != (unsigned)-1) hear(&clients[events[each].data.u32]);
    return found;
}

static void count(double seconds) {
    memset(frames, 0, sizeof frames);
    memset(bytes, 0, sizeof bytes);
    double begin = now(), time = begin;
    for (; time < begin + seconds; time = now()) hear_all(begin + seconds - time);
    printf("{\"seconds\": %.6f", time - begin);
    for (int kind = 0; kind < KINDS; kind++)
        printf(", \"%s\": %llu, \"%s_bytes\": %llu", NAMES[kind], frames[kind], NAMES[kind], bytes[kind]);
    printf("}\n");
}

static void await(const char *what) {
    snprintf(text, sizeof text, "%s", what);
    for (int each = 0; each < wanted; each++) clients[each].has_seen = 0;
    seen = 0;
    printf("ready\n");
    fflush(stdout);
    for (double end = now() + FIRST_SECONDS; seen < wanted; hear_all(1.0))
        if (now() > end) fail("a text did not come to every client");
    *text = 0;
    printf("{\"first\": %.6f, \"last\": %.6f}\n", first_seen, last_seen);
}

static void open_all(int parallel, int is_first) {
    double start = now(), done = 0;
    while (begun < wanted && begun < parallel) begin();
    while (opened < wanted) hear_all(1.0);
    done = now();
    while (is_first && with_first < wanted && now() < done + FIRST_SECONDS) hear_all(1.0);
    printf("{\"opened\": %.6f, \"first\": %.6f}\n", done - start, last_first ? last_first - start : 0.0);
}

static int obey(void) {
    static char line[512];
    static size_t size;
    ssize_t came = read(0, line + size, sizeof line - 1 - size);
    if (came <= 0) return 0;
    line[size += (size_t)came] = 0;
    char *end = strchr(line, '\n');
    if (!end) return 1;
    *end = 0;
    size = 0;
    if (!strncmp(line, "count ", 6)) count(atof(line + 6));
    else if (!strncmp(line, "await ", 6)) await(line + 6);
    else fail("an unknown command");
    fflush(stdout);
    return 1;
}

int main(int arguments, char **argument) {
    if (arguments < 6) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    port = atoi(argument[1]);
    wanted = atoi(argument[2]);
    addresses = atoi(argument[3]);
    subscription = arguments > 6 ? argument[6] : "";
    clients = calloc((size_t)wanted, sizeof *clients);
    poller = epoll_create1(0);
    open_all(atoi(argument[4]), atoi(argument[5]));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)-1};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event)) fail("epoll_ctl");
    for (;;) {
        struct epoll_event events[EVENTS];
        int found = epoll_wait(poller, events, EVENTS, -1);
        for (int each = 0; each < found; each++) {
            if (events[each].data.u32 != (unsigned)-1) hear(&clients[events[each].data.u32]);
            else if (!obey()) return 0;
        }
    }
}
