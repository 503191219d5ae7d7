/* Load whose arrivals do not wait for answers, and streams whose chunks are timed one by one.
 *
 *   load open    PORT REQUEST_FILE RATE SECONDS CONNECTIONS
 *   load streams PORT REQUEST_FILE COUNT
 *
 * REQUEST_FILE holds one request as bytes of HTTP/1.1. `open`: requests arrive as a Poisson process of RATE a
 * second (fixed seed); each one's time runs from when it was due, so that a stall counts for all that waited.
 * `streams`: COUNT requests at once, each on its own connection, over two seconds; for every chunk of the mock's
 * paced streams the time between the mock's sending and its arrival here. One line of JSON, times in µs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TAIL 64

struct conn {
    int fd;
    int busy, head_seen, chunked;
    long long due, first;
    size_t left;     /* bytes of a body with a length that are still to come */
    char head[8192];
    size_t head_len;
    char tail[TAIL]; /* the last bytes, for marks that are split over two reads */
    size_t tail_len;
};

static struct conn *conns;
static int count, epoll_fd;
static char *request;
static size_t request_len;
static double *ends, *firsts, *holds;
static size_t n_ends, n_holds, room_holds, errors;

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void dial(struct conn *c, int port) {
    int on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) {
        perror("connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void begin(struct conn *c, long long due) {
    c->busy = 1;
    c->head_seen = c->chunked = 0;
    c->head_len = c->tail_len = 0;
    c->due = due;
    c->first = 0;
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
        perror("send");
        exit(1);
    }
}

static void hold(long long sent, long long now) {
    if (n_holds == room_holds)
        holds = realloc(holds, (room_holds = room_holds ? room_holds * 2 : 65536) * sizeof *holds);
    holds[n_holds++] = (double)(now - sent) / 1e3;
}

/* The times inside a piece of a body, which begins with what was kept of the one before. */
static void times(struct conn *c, const char *data, size_t len, long long now) {
    size_t have = c->tail_len;
    char *all = malloc(have + len + 1);
    memcpy(all, c->tail, have);
    memcpy(all + have, data, len);
    all[have + len] = 0;
    char *at = all, *used = all;
    while ((at = memmem(at, (size_t)(all + have + len - at), "\"t0", 3)) && at + 21 <= all + have + len) {
        hold(atoll(at + 2), now);
        used = at += 21;
    }
    size_t rest = (size_t)(all + have + len - used);
    c->tail_len = rest < TAIL ? rest : TAIL;
    memcpy(c->tail, all + have + len - c->tail_len, c->tail_len);
    free(all);
}

static void finish(struct conn *c, long long now) {
    c->busy = 0;
    if (n_ends < (size_t)1 << 22) {
        firsts[n_ends] = (double)(c->first - c->due) / 1e3;
        ends[n_ends++] = (double)(now - c->due) / 1e3;
    }
}

static void body(struct conn *c, const char *data, size_t len, long long now) {
    if (!len)
        return;
    if (!c->first)
        c->first = now;
    times(c, data, len, now);
    if (c->chunked) {
        if (c->tail_len >= 5 && !memcmp(c->tail + c->tail_len - 5, "0\r\n\r\n", 5))
            finish(c, now);
    } else if ((c->left -= len < c->left ? len : c->left) == 0) {
        finish(c, now);
    }
}

static void readable(struct conn *c) {
    static char data[1 << 17];
    ssize_t got = recv(c->fd, data, sizeof data, 0);
    long long now = now_ns();
    if (got <= 0) {
        fprintf(stderr, "the connection was closed\n");
        exit(1);
    }
    if (c->head_seen) {
        body(c, data, (size_t)got, now);
        return;
    }
    size_t take = (size_t)got < sizeof c->head - 1 - c->head_len ? (size_t)got : sizeof c->head - 1 - c->head_len;
    memcpy(c->head + c->head_len, data, take);
    size_t before = c->head_len;
    c->head_len += take;
    c->head[c->head_len] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return;
    c->head_seen = 1;
    if (strncmp(c->head + 9, "200", 3)) {
        if (!errors++)
            fprintf(stderr, "%.600s\n", c->head);
    }
    *end = 0;
    char *length = strcasestr(c->head, "\ncontent-length:");
    c->chunked = length == NULL;
    c->left = length ? strtoul(length + 16, NULL, 10) : 0;
    size_t skip = (size_t)(end + 4 - c->head) - before;
    body(c, data + skip, (size_t)got - skip, now);
}

static int up(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void figures(const char *name, double *values, size_t n) {
    qsort(values, n, sizeof *values, up);
    if (!n)
        return;
    printf("\"%s\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"most\":%.1f},", name, values[n / 2],
           values[n * 9 / 10], values[n * 99 / 100], values[n * 999 / 1000], values[n - 1]);
}

static double uniform(void) {
    static unsigned long long x = 88172645463325252ULL;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return ((double)(x >> 11) + 0.5) / 9007199254740992.0;
}

static void wait_until(long long due) {
    struct epoll_event events[256];
    long long left = due - now_ns();
    struct timespec pause = {.tv_sec = left / 1000000000LL, .tv_nsec = left % 1000000000LL};
    if (left < 0)
        pause = (struct timespec){0, 0};
    int n = epoll_pwait2(epoll_fd, events, 256, &pause, NULL);
    for (int i = 0; i < n; i++)
        readable(events[i].data.ptr);
}

static struct conn *idle(void) {
    for (int i = 0; i < count; i++)
        if (!conns[i].busy)
            return &conns[i];
    return NULL;
}

static int any_busy(void) {
    for (int i = 0; i < count; i++)
        if (conns[i].busy)
            return 1;
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return fprintf(stderr, "usage: load open|streams PORT REQUEST_FILE …; see the source\n"), 2;
    int streams_mode = !strcmp(argv[1], "streams");
    int port = atoi(argv[2]);
    FILE *file = fopen(argv[3], "rb");
    if (!file)
        return perror(argv[3]), 1;
    request = malloc(1 << 24);
    request_len = fread(request, 1, 1 << 24, file);
    ends = malloc(sizeof *ends << 22);
    firsts = malloc(sizeof *firsts << 22);
    epoll_fd = epoll_create1(0);
    count = atoi(argv[streams_mode ? 4 : 6]);
    conns = calloc((size_t)count, sizeof *conns);
    for (int i = 0; i < count; i++)
        dial(&conns[i], port);
    long long start = now_ns(), due = start;
    if (streams_mode) {
        for (int i = 0; i < count; i++) {
            due = start + 2000000000LL * i / count;
            while (now_ns() < due)
                wait_until(due);
            begin(&conns[i], due);
        }
    } else {
        double rate = atof(argv[4]);
        long long until = start + (long long)(atof(argv[5]) * 1e9);
        for (;;) {
            due += (long long)(-log(uniform()) / rate * 1e9);
            if (due >= until)
                break;
            struct conn *c;
            while (now_ns() < due)
                wait_until(due);
            while (!(c = idle()))
                wait_until(now_ns() + 1000000);
            begin(c, due);
        }
    }
    long long patience = now_ns() + 60000000000LL;
    while (any_busy() && now_ns() < patience)
        wait_until(now_ns() + 10000000);
    size_t open = 0;
    for (int i = 0; i < count; i++)
        open += (size_t)conns[i].busy;
    printf("{");
    figures("first", firsts, n_ends);
    figures("end", ends, n_ends);
    figures("hold", holds, n_holds);
    printf("\"answers\":%zu,\"chunks\":%zu,\"errors\":%zu,\"unfinished\":%zu}\n", n_ends, n_holds, errors, open);
    return 0;
}
