/* The least that a server can do: one finished frame to each WebSocket client with one send(), round after round.

   reference PAYLOAD_FILE

   Prints the port it listens on. SIGUSR1 starts the rounds, SIGUSR2 ends them. A client that cannot take the frame misses
   it, and gets the rest of one that it took in part first. A request that is a POST starts one round, and is answered
   after it. The key of a handshake is not computed: the client of the benchmark does not look at it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MOST 65536
#define SEND_BUFFER (128 * 1024) /* as the server that is measured */
#define EVENTS 256

static const char ACCEPTED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
static const char ANSWERED[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct client {
    int place;   /* in `streaming`; -1 until the handshake is done */
    size_t rest; /* bytes of the frame that are still to be sent */
};

static struct client clients[MOST];
static int streaming[MOST], count, poller;
static char *frame;
static size_t length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_frame(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path);
    size_t size = (size_t)ftell(file), head = size < 126 ? 2 : size < 65536 ? 4 : 10;
    rewind(file);
    frame = calloc(1, head + size);
    frame[0] = (char)0x81;
    frame[1] = (char)(head == 2 ? size : head == 4 ? 126 : 127);
    for (size_t at = head - 1, left = size; head > 2 && at > 1; at--, left >>= 8) frame[at] = (char)left;
    if (fread(frame + head, 1, size, file) != size) fail(path);
    fclose(file);
    length = head + size;
}

static void watch(int fd, unsigned events, int how) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, how, fd, &event)) fail("epoll_ctl");
}

static void leave(int fd) {
    int place = clients[fd].place;
    if (place >= 0) {
        streaming[place] = streaming[--count];
        clients[streaming[place]].place = place;
    }
    clients[fd].place = -1;
    close(fd);
}

/* Send the frame, or what is left of it. */
static int deliver(int fd) {
    struct client *client = &clients[fd];
    size_t rest = client->rest ? client->rest : length;
    ssize_t sent = send(fd, frame + length - rest, rest, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return 0; /* the poller tells that it is gone */
    size_t left = rest - (size_t)(sent < 0 ? 0 : sent);
    if (sent < 0 && !client->rest) left = 0; /* it misses this one whole */
    if (!client->rest != !left) watch(fd, EPOLLIN | (left ? EPOLLOUT : 0u), EPOLL_CTL_MOD);
    client->rest = left;
    return sent > 0;
}

static int round_of_all(void) {
    int sent = 0;
    for (int each = 0; each < count; each++)
        if (!clients[streaming[each]].rest) sent += deliver(streaming[each]);
    return sent;
}

static void hear(int fd) {
    char text[4096];
    ssize_t size = recv(fd, text, sizeof text, MSG_DONTWAIT);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN) leave(fd);
        return;
    }
    if (clients[fd].place >= 0) return; /* a subscription, or an answer to a ping */
    if (!memcmp(text, "POST", 4)) {
        round_of_all();
        send(fd, ANSWERED, sizeof ANSWERED - 1, MSG_NOSIGNAL);
    } else {
        send(fd, ACCEPTED, sizeof ACCEPTED - 1, MSG_NOSIGNAL);
        clients[fd].place = count;
        streaming[count++] = fd;
    }
}

static void accept_all(int listening) {
    int fd, on = 1;
    while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MOST) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients[fd] = (struct client){.place = -1};
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), buffer = SEND_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int arguments, char **argument) {
    if (arguments != 2) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    read_frame(argument[1]);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    poller = epoll_create1(0);
    int told = signalfd(-1, &signals, SFD_NONBLOCK), listening = listen_somewhere(), is_running = 0, is_sending = 0;
    watch(told, EPOLLIN, EPOLL_CTL_ADD);
    watch(listening, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[EVENTS];
        int found = epoll_wait(poller, events, EVENTS, is_sending ? 0 : is_running && count ? 1 : -1);
        for (int each = 0; each < found; each++) {
            int fd = events[each].data.fd;
            struct signalfd_siginfo signal;
            if (fd == listening) accept_all(listening);
            else if (fd == told && read(told, &signal, sizeof signal) > 0) is_running = signal.ssi_signo == SIGUSR1;
            else if (fd != told && events[each].events & ~(unsigned)EPOLLOUT) hear(fd);
            else if (fd != told) deliver(fd);
        }
        is_sending = is_running && round_of_all() > 0;
    }
}
