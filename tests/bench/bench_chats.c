/* SPDX-License-Identifier: MIT
 * bench_chats: Telegram for benchmarks: a Bot API that answers at once, and people who write.  Called by
 * tests/bench/bench_reply.py, one process per bot, so that bots take turns under the same load.
 *
 *   bench_chats API_PORT HOOK_PORT HOOK_PATH SECRET
 *
 * Reads lines "CHATS WARM_MS RUN_MS TEXT" from stdin, runs such a round and answers each with one line
 * "messages N rate R p50_ms X p99_ms Y waiting W cpu_share C".  A "#" in TEXT becomes the message's number.  Between
 * rounds it goes on answering calls; it ends with stdin. A chat has one message under way: the next is posted, on any
 * idle connection, when sendMessage for the last has come in.  The time of a message is from the write of its POST to
 * the read of its sendMessage.  One thread; the share of one core that it used is printed, because a load that is the
 * bottleneck measures itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CHATS_MAX = 256,
    CONNECTIONS_MAX = 1024,
    MESSAGE_BYTES_MAX = 64 * 1024,
    SAMPLES_MAX = 4000000,
    FIRST_CHAT = 1001,
    PATIENCE_MS = 5000 /* for answers still under way when a round ends */
};

struct connection {
    int fd; /* 0 = free */
    bool to_hook, busy;
    size_t len;
    char bytes[MESSAGE_BYTES_MAX];
};

static struct connection connection[CONNECTIONS_MAX];
static double posted_ms[CHATS_MAX]; /* 0 = nothing under way */
static float *sample;
static size_t sample_count;
static struct {
    int chats;
    char before[128], after[128]; /* the text, around the number */
    bool numbered;
    double start_ms, warm_end_ms, end_ms, cpu_ms;
    bool on;
} round_;
static int epoll_fd, listen_fd, hook_port;
static const char *hook_path, *secret;
static long update_id = 1, message_id = 1;
static char webhook[2048] = "{\"url\":\"\",\"pending_update_count\":0}"; /* what setWebhook said */

static void die(const char *what)
{
    fprintf(stderr, "bench_chats: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* --- connections --- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static struct connection *connection_add(int fd, bool to_hook)
{
    int on = 1;
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &connection[i];
        if (c->fd)
            continue;
        *c = (struct connection){ .fd = fd, .to_hook = to_hook };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
        return c;
    }
    errno = EMFILE;
    die("too many connections");
    return NULL;
}

static void connection_close(struct connection *c)
{
    close(c->fd);
    c->fd = 0;
}

static void send_all(struct connection *c, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(c->fd, bytes, len);
        if (n < 0)
            return; /* the reader meets the end of the connection */
        bytes += n;
        len -= (size_t)n;
    }
}

static struct connection *hook_idle(void)
{
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (connection[i].fd && connection[i].to_hook && !connection[i].busy)
            return &connection[i];
    struct sockaddr_in to = loopback(hook_port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("cannot connect to the bot");
    return connection_add(fd, true);
}

/* --- people --- */

static void post(int chat)
{
    char body[1024], head[2048], number[24] = "";
    int id = FIRST_CHAT + chat;
    if (round_.numbered)
        snprintf(number, sizeof number, "%ld", update_id);
    int len = snprintf(body, sizeof body,
                       "{\"update_id\":%ld,\"message\":{\"message_id\":%ld,\"from\":{\"id\":%d,\"is_bot\":false,"
                       "\"first_name\":\"Ada\",\"language_code\":\"en\"},\"chat\":{\"id\":%d,\"first_name\":\"Ada\","
                       "\"type\":\"private\"},\"date\":%ld,\"text\":\"%s%s%s\"}}",
                       update_id, update_id, id, id, (long)time(NULL), round_.before, number, round_.after);
    int head_len = snprintf(head, sizeof head,
                            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            "X-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: %d\r\n\r\n%s",
                            hook_path, secret, len, body);
    struct connection *c = hook_idle();
    update_id++;
    c->busy = true;
    posted_ms[chat] = now_ms();
    send_all(c, head, (size_t)head_len);
}

static void answered(long chat_id)
{
    int chat = (int)(chat_id - FIRST_CHAT);
    double t = now_ms();
    if (chat < 0 || chat >= CHATS_MAX || posted_ms[chat] == 0)
        return;
    if (posted_ms[chat] >= round_.warm_end_ms && t < round_.end_ms && sample_count < SAMPLES_MAX)
        sample[sample_count++] = (float)(t - posted_ms[chat]);
    posted_ms[chat] = 0;
    if (round_.on && t < round_.end_ms && chat < round_.chats)
        post(chat);
}

/* --- the Bot API --- */

static void call_answer(struct connection *c, const char *request, const char *body)
{
    char json[4096], reply[4608];
    const char *path_end = strchr(request + 5, ' '), *method = path_end;
    long chat_id = 0;
    while (method > request && method[-1] != '/')
        method--;
    const char *field = strstr(body, "\"chat_id\":");
    if (field)
        chat_id = strtol(field + 10 + (field[10] == '"'), NULL, 10);
    bool is_send = strncmp(method, "sendMessage", 11) == 0;
    if (is_send)
        snprintf(json, sizeof json,
                 "{\"ok\":true,\"result\":{\"message_id\":%ld,\"date\":%ld,\"chat\":{\"id\":%ld,\"type\":\"private\"},"
                 "\"text\":\"x\"}}",
                 message_id++, (long)time(NULL), chat_id);
    else if (strncmp(method, "getMe", 5) == 0)
        snprintf(
            json, sizeof json,
            "{\"ok\":true,\"result\":{\"id\":1,\"is_bot\":true,\"first_name\":\"Bench\",\"username\":\"bench_bot\"}}");
    else if (strncmp(method, "getWebhookInfo", 14) == 0)
        snprintf(json, sizeof json, "{\"ok\":true,\"result\":%s}", webhook);
    else
        snprintf(json, sizeof json, "{\"ok\":true,\"result\":true}");
    if (strncmp(method, "setWebhook", 10) == 0)
        snprintf(webhook, sizeof webhook, "%s", body);
    int len = snprintf(reply, sizeof reply,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       strlen(json), json);
    send_all(c, reply, (size_t)len);
    if (is_send)
        answered(chat_id);
}

/* --- HTTP messages, as many as these two sides need --- */

static size_t chunked_end(const char *bytes, size_t at, size_t len)
{
    while (at < len) {
        char *line_end;
        const char *lf = memchr(bytes + at, '\n', len - at);
        if (!lf)
            return 0;
        size_t size = strtoul(bytes + at, &line_end, 16);
        at = (size_t)(lf - bytes) + 1 + size + 2;
        if (size == 0)
            return at <= len ? at : 0;
    }
    return 0;
}

/* The length of the first whole message in the buffer; 0 = not there yet.  *body: its start. */
static size_t message_end(struct connection *c, size_t *body)
{
    c->bytes[c->len] = '\0';
    const char *blank = strstr(c->bytes, "\r\n\r\n");
    if (!blank)
        return 0;
    size_t head = (size_t)(blank - c->bytes) + 4;
    *body = head;
    for (const char *line = strstr(c->bytes, "\r\n"); line < blank; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "transfer-encoding: chunked", 26) == 0)
            return chunked_end(c->bytes, head, c->len);
        if (strncasecmp(line + 2, "content-length:", 15) == 0) {
            size_t whole = head + strtoul(line + 17, NULL, 10);
            return whole <= c->len ? whole : 0;
        }
    }
    return head;
}

static void read_some(struct connection *c)
{
    size_t body;
    ssize_t n = recv(c->fd, c->bytes + c->len, sizeof c->bytes - 1 - c->len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return; /* the event was of the place's last connection */
    if (n <= 0) {
        connection_close(c);
        return;
    }
    c->len += (size_t)n;
    for (size_t whole; c->fd && (whole = message_end(c, &body)) > 0;) {
        char after = c->bytes[whole];
        c->bytes[whole] = '\0';
        if (!c->to_hook)
            call_answer(c, c->bytes, c->bytes + body);
        else if (strncmp(c->bytes, "HTTP/1.1 200", 12) != 0)
            fprintf(stderr, "bench_chats: the bot answered %.12s\n", c->bytes);
        c->busy = false;
        c->bytes[whole] = after;
        memmove(c->bytes, c->bytes + whole, c->len - whole);
        c->len -= whole;
    }
}

/* --- rounds --- */

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void round_begin(void)
{
    char line[160];
    int warm_ms, run_ms, text = 0;
    if (!fgets(line, sizeof line, stdin))
        exit(0);
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%d %d %d %n", &round_.chats, &warm_ms, &run_ms, &text) != 3 || round_.chats > CHATS_MAX)
        die("a round is CHATS WARM_MS RUN_MS TEXT");
    const char *number = strchr(line + text, '#');
    round_.numbered = number != NULL;
    snprintf(round_.before, sizeof round_.before, "%.*s", number ? (int)(number - line - text) : 127, line + text);
    snprintf(round_.after, sizeof round_.after, "%.127s", number ? number + 1 : "");
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (connection[i].fd && connection[i].to_hook)
            connection_close(&connection[i]); /* the bot may be about to, after its idle time */
    sample_count = 0;
    round_.on = true;
    round_.start_ms = now_ms();
    round_.warm_end_ms = round_.start_ms + warm_ms;
    round_.end_ms = round_.warm_end_ms + run_ms;
    round_.cpu_ms = cpu_ms();
    for (int i = 0; i < round_.chats; i++)
        post(i);
}

static void round_look(void)
{
    int waiting = 0;
    double t = now_ms();
    if (!round_.on || t < round_.end_ms)
        return;
    for (int i = 0; i < CHATS_MAX; i++)
        waiting += posted_ms[i] > 0;
    if (waiting && t < round_.end_ms + PATIENCE_MS)
        return;
    round_.on = false;
    size_t n = sample_count;
    qsort(sample, n, sizeof *sample, by_value);
    printf("messages %zu rate %.1f p50_ms %.3f p99_ms %.3f waiting %d cpu_share %.2f\n", n,
           (double)n * 1e3 / (round_.end_ms - round_.warm_end_ms), n ? (double)sample[n / 2] : 0,
           n ? (double)sample[n * 99 / 100] : 0, waiting, (cpu_ms() - round_.cpu_ms) / (t - round_.start_ms));
    fflush(stdout);
    memset(posted_ms, 0, sizeof posted_ms);
}

static void listen_on(int port)
{
    int on = 1;
    struct sockaddr_in at = loopback(port);
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listen_fd, 128) != 0)
        die("cannot listen");
}

int main(int argc, char **argv)
{
    static int of_stdin, of_listener;
    if (argc != 5)
        return 2;
    hook_port = atoi(argv[2]);
    hook_path = argv[3];
    secret = argv[4];
    sample = malloc(SAMPLES_MAX * sizeof *sample);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_on(atoi(argv[1]));
    struct epoll_event first[2] = { { .events = EPOLLIN, .data.ptr = &of_stdin },
                                    { .events = EPOLLIN, .data.ptr = &of_listener } };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &first[0]);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &first[1]);
    for (;;) {
        struct epoll_event ev[64];
        int n = epoll_wait(epoll_fd, ev, 64, round_.on ? 5 : 200);
        for (int i = 0; i < n; i++) {
            struct connection *c = ev[i].data.ptr;
            if (ev[i].data.ptr == &of_stdin)
                round_begin();
            else if (ev[i].data.ptr == &of_listener)
                connection_add(accept(listen_fd, NULL, NULL), false);
            else if (c->fd)
                read_some(c);
        }
        round_look();
    }
}
