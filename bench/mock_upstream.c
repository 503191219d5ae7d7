/* A model server that costs almost nothing: the upstream of the benchmarks.
 *
 *   mock_upstream PORT BODY_BYTES CHUNKS [PACED_MS PACED_CHUNKS]
 *
 * One thread, epoll, HTTP/1.1 keep-alive. A POST whose body holds `"stream":true` is answered with CHUNKS
 * server-sent events in one burst (and usage at the end), every other with a chat completion of about BODY_BYTES.
 * A streamed one whose text begins with `paced ` gets PACED_CHUNKS events, one every PACED_MS milliseconds; the
 * text of each is the monotonic clock's nanoseconds at which it was sent (t and 19 digits).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 65536
#define IN_BYTES (1 << 20)

static char *whole, *streamed;
static size_t whole_len, streamed_len;
static char tail[2048];
static size_t tail_len;
static long paced_ms = 50;
static int paced_chunks = 50;

struct conn {
    char *in;
    size_t have;
    int left;        /* paced chunks that are still to be sent */
    long long next;  /* when, in nanoseconds */
};
static struct conn conns[MAX_FDS];
static int paced[MAX_FDS], paced_count; /* descriptors with `left` > 0 */

static void make_answers(size_t body_bytes, int chunks) {
    char *text = malloc(body_bytes + 1);
    memset(text, 'a', body_bytes);
    text[body_bytes] = 0;
    char *body = NULL;
    int n = asprintf(&body,
        "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"mock\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
        "\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":100,\"total_tokens\":300}}", text);
    whole_len = asprintf(&whole,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", n, body);
    size_t room = 4096 + (size_t)chunks * 256;
    streamed = malloc(room);
    char *p = streamed;
    p += sprintf(p, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    for (int i = 0; i < chunks; i++) {
        char frame[256];
        int len = sprintf(frame,
            "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
            "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},"
            "\"finish_reason\":null}]}\n\n", i);
        p += sprintf(p, "%x\r\n%s\r\n", len, frame);
    }
    const char *ends[] = {
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
        "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
        "\"model\":\"mock\",\"choices\":[],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":100,"
        "\"total_tokens\":300}}\n\n",
        "data: [DONE]\n\n"};
    for (int i = 0; i < 3; i++)
        tail_len += (size_t)sprintf(tail + tail_len, "%zx\r\n%s\r\n", strlen(ends[i]), ends[i]);
    tail_len += (size_t)sprintf(tail + tail_len, "0\r\n\r\n");
    memcpy(p, tail, tail_len);
    p += tail_len;
    streamed_len = (size_t)(p - streamed);
}

static void drop(int fd) {
    free(conns[fd].in);
    conns[fd].in = NULL;
    conns[fd].have = 0;
    conns[fd].left = 0;
    close(fd);
}

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int send_all(int fd, const char *data, size_t len) {
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            usleep(50);
            continue;
        }
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int start_paced(int fd) {
    const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    conns[fd].left = paced_chunks;
    conns[fd].next = now_ns();
    paced[paced_count++] = fd;
    return send_all(fd, head, strlen(head));
}

/* Sends what is due of every paced stream. */
static void pace(void) {
    for (int i = 0; i < paced_count;) {
        int fd = paced[i];
        struct conn *c = &conns[fd];
        long long now = now_ns();
        if (c->left && c->next <= now) {
            char frame[256], chunk[300];
            int len = sprintf(frame,
                "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"t%019lld\"},"
                "\"finish_reason\":null}]}\n\n", now);
            int n = sprintf(chunk, "%x\r\n%s\r\n", len, frame);
            c->next += paced_ms * 1000000LL;
            int failed = send_all(fd, chunk, (size_t)n);
            if (!--c->left && !failed)
                failed = send_all(fd, tail, tail_len);
            if (failed)
                drop(fd);
        }
        if (!c->left)
            paced[i] = paced[--paced_count];
        else
            i++;
    }
}

/* Answers every whole request in the buffer; -1 when the connection is to be closed. */
static int serve(int fd) {
    struct conn *c = &conns[fd];
    for (;;) {
        char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
        if (!end)
            return 0;
        size_t head = (size_t)(end - c->in) + 4, length = 0;
        for (char *line = c->in; line < end; line = strstr(line, "\r\n") + 2) {
            if (!strncasecmp(line, "content-length:", 15))
                length = strtoul(line + 15, NULL, 10);
            if (line + 2 > end)
                break;
        }
        if (c->have < head + length)
            return 0;
        int stream = memmem(c->in + head, length, "\"stream\":true", 13) != NULL ||
                     memmem(c->in + head, length, "\"stream\": true", 14) != NULL;
        int slow = stream && memmem(c->in + head, length, "\"paced ", 7) != NULL;
        if (slow ? start_paced(fd) : send_all(fd, stream ? streamed : whole, stream ? streamed_len : whole_len))
            return -1;
        memmove(c->in, c->in + head + length, c->have - head - length);
        c->have -= head + length;
    }
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 6)
        return fprintf(stderr, "usage: mock_upstream PORT BODY_BYTES CHUNKS [PACED_MS PACED_CHUNKS]\n"), 2;
    if (argc == 6) {
        paced_ms = atol(argv[4]);
        paced_chunks = atoi(argv[5]);
    }
    make_answers(strtoul(argv[2], NULL, 10), atoi(argv[3]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1024))
        return perror("bind"), 1;
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        pace();
        int n = epoll_wait(poll, events, 256, paced_count ? 1 : -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0)
                    continue;
                if (client >= MAX_FDS) {
                    close(client);
                    continue;
                }
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                conns[client].in = malloc(IN_BYTES);
                conns[client].have = 0;
                event.data.fd = client;
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            struct conn *c = &conns[fd];
            ssize_t got = recv(fd, c->in + c->have, IN_BYTES - 1 - c->have, 0);
            if (got <= 0) {
                if (got == 0 || errno != EAGAIN)
                    drop(fd);
                continue;
            }
            c->have += (size_t)got;
            c->in[c->have] = 0;
            if (serve(fd))
                drop(fd);
        }
    }
}
