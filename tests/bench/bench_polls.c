/* SPDX-License-Identifier: MIT
 * bench_polls: agents who wait, the person who taps, and the Telegram between them.  Called by
 * tests/bench/bench_agents.py, which reads the server's memory meanwhile.
 *
 *   bench_polls API_PORT SERVER_PORT HOOK_SECRET BEARER
 *
 * One command a line on stdin, one line of "name value …" for each on stdout:
 *   ask N                  N blocking questions; done when all their cards have come in
 *   hold N SOLO LOW HIGH   from now on N held polls, each its own connection, renewed as they end, each time for LOW to
 *                          HIGH ms; the first SOLO have a question of their own, the others share the rest
 *   tap N BURST PAUSE      N of the first SOLO questions are answered, BURST taps at a time, then PAUSE ms of nothing.
 *                          Prints each time from before the write of the tap's POST to the read of the answer
 *   drop                   closes all polls
 * It ends with stdin.  One thread; the share of a core that it used is printed, because a load that is the bottleneck
 * measures itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
    POLLS_MAX = 16000,
    OTHERS_MAX = 256, /* Telegram's calls, webhook posts, /send */
    QUESTIONS_MAX = 20000,
    MESSAGE_BYTES_MAX = 32 * 1024,
    POLL_BYTES_MAX = 2 * 1024,
    SENDS_AT_ONCE = 32,
    CONNECTS_PER_TURN = 64,
    PATIENCE_MS = 60000, /* one command without progress */
    PERSON = 1001
};

enum kind { FREE, API, HOOK, SEND, POLL };
struct connection {
    int fd;
    enum kind kind;
    bool busy;
    int question;
    size_t len, size;
    char *bytes;
};
struct question {
    long message_id;
    char data[80];    /* of its first button */
    double tapped_ms; /* 0 = not yet */
    double answer_ms; /* from the tap to the poll; 0 = not yet */
};

static struct connection poll_of[POLLS_MAX], other[OTHERS_MAX];
static struct question question[QUESTIONS_MAX];
static int questions, cards, answered, polls, polls_wanted, solo, tapped, wrong;
static long renewed;
static int low_ms, high_ms, epoll_fd, listen_fd, server_port;
static const char *hook_secret, *bearer;
static long update_id = 1, message_id = 1;
static char webhook[2048] = "{\"url\":\"\",\"pending_update_count\":0}"; /* what setWebhook said */
static enum { IDLE, ASKING, HOLDING, TAPPING } doing;
static struct {
    int from, until, burst, pause_ms, asked; /* questions of this command */
    double begun_ms, progress_ms, next_ms, cpu_ms;
} now_doing;

static void die(const char *what)
{
    fprintf(stderr, "bench_polls: %s: %s\n", what, strerror(errno));
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

static void connection_watch(struct connection *c, int fd, enum kind kind, size_t size)
{
    int on = 1;
    char *bytes = c->size == size ? c->bytes : realloc(c->bytes, size);
    *c = (struct connection){ .fd = fd, .kind = kind, .bytes = bytes, .size = size };
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
    if (!bytes || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        die("cannot watch a connection");
}

static struct connection *other_add(int fd, enum kind kind)
{
    for (int i = 0; i < OTHERS_MAX; i++)
        if (other[i].kind == FREE) {
            connection_watch(&other[i], fd, kind, MESSAGE_BYTES_MAX);
            return &other[i];
        }
    errno = EMFILE;
    die("too many connections");
    return NULL;
}

static int connect_to_server(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)server_port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("cannot connect to the server");
    return fd;
}

static struct connection *other_idle(enum kind kind)
{
    for (int i = 0; i < OTHERS_MAX; i++)
        if (other[i].kind == kind && !other[i].busy)
            return &other[i];
    return other_add(connect_to_server(), kind);
}

static void connection_close(struct connection *c)
{
    close(c->fd);
    c->kind = FREE;
    c->len = 0;
}

static void send_all(struct connection *c, const char *bytes, size_t len)
{
    c->busy = true;
    while (len > 0) {
        ssize_t n = write(c->fd, bytes, len);
        if (n < 0)
            return; /* the reader meets the end of the connection */
        bytes += n;
        len -= (size_t)n;
    }
}

static void post(struct connection *c, const char *path, const char *header, const char *value, const char *body)
{
    char text[2048];
    int len = snprintf(text, sizeof text,
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s%s\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       path, header, value, strlen(body), body);
    send_all(c, text, (size_t)len);
}

/* --- agents --- */

static void ask_next(void)
{
    char body[512];
    if (now_doing.asked == now_doing.until)
        return;
    int q = now_doing.asked++;
    snprintf(body, sizeof body,
             "{\"project\":\"bench\",\"type\":\"blocking\",\"message\":\"Question %d?\",\"buttons\":[\"Yes\",\"No\"],"
             "\"request_id\":\"bench-%d\"}",
             q, q);
    post(other_idle(SEND), "/send", "Authorization: Bearer ", bearer, body);
}

static void poll_send(struct connection *c)
{
    char text[512];
    int wait_ms = low_ms + (high_ms > low_ms ? rand() % (high_ms - low_ms) : 0);
    int len = snprintf(text, sizeof text,
                       "GET /poll?request_id=bench-%d&wait=%d.%03d HTTP/1.1\r\nHost: localhost\r\n"
                       "Authorization: Bearer %s\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n",
                       c->question, wait_ms / 1000, wait_ms % 1000, bearer);
    send_all(c, text, (size_t)len);
}

static int shared_question(int i)
{
    return solo + i % (questions > solo ? questions - solo : 1);
}

static void polls_open(void)
{
    for (int i = 0; i < CONNECTS_PER_TURN && polls < polls_wanted; i++, polls++) {
        struct connection *c = &poll_of[polls];
        connection_watch(c, connect_to_server(), POLL, POLL_BYTES_MAX);
        c->question = polls < solo ? polls : shared_question(polls);
        poll_send(c);
    }
}

static void poll_answered(struct connection *c, const char *status, const char *body)
{
    struct question *q = &question[c->question];
    renewed++;
    if (strncmp(status, "HTTP/1.1 200", 12) != 0)
        wrong++;
    if (strstr(body, "\"responded\"")) {
        if (q->tapped_ms > 0 && q->answer_ms == 0 && strstr(body, "\"response\":\"Yes\"")) {
            q->answer_ms = now_ms() - q->tapped_ms;
            now_doing.progress_ms = now_ms();
            answered++;
        } else {
            wrong++;
        }
        c->question = shared_question((int)(c - poll_of)); /* the agent goes on with something else */
    }
    poll_send(c);
}

/* --- the person --- */

static void tap(int i)
{
    char body[1024];
    struct question *q = &question[i];
    snprintf(
        body, sizeof body,
        "{\"update_id\":%ld,\"callback_query\":{\"id\":\"%ld\",\"from\":{\"id\":%d,\"is_bot\":false,\"first_name\":"
        "\"Ada\",\"language_code\":\"en\"},\"message\":{\"message_id\":%ld,\"date\":%ld,\"chat\":{\"id\":%d,"
        "\"first_name\":\"Ada\",\"type\":\"private\"},\"text\":\"Question %d?\"},\"data\":\"%s\","
        "\"chat_instance\":\"7\"}}",
        update_id, 7000000000 + update_id, PERSON, q->message_id, (long)time(NULL), PERSON, i, q->data);
    update_id++;
    q->tapped_ms = now_ms();
    post(other_idle(HOOK), "/telegram-webhook", "X-Telegram-Bot-Api-Secret-Token: ", hook_secret, body);
}

/* --- the Bot API --- */

static void card_came(const char *body, long id)
{
    const char *number = strstr(body, "Question "), *data = strstr(body, "\"callback_data\":\"");
    int i = number ? atoi(number + 9) : -1;
    if (i < 0 || i >= QUESTIONS_MAX || !data || question[i].message_id)
        return;
    question[i].message_id = id;
    snprintf(question[i].data, sizeof question[i].data, "%.*s", (int)strcspn(data + 17, "\""), data + 17);
    now_doing.progress_ms = now_ms();
    cards++;
}

static void call_answer(struct connection *c, const char *request, const char *body)
{
    char json[4096], reply[4608];
    const char *path_end = strchr(request + 5, ' '), *method = path_end;
    while (method > request && method[-1] != '/')
        method--;
    bool sends = strncmp(method, "sendMessage", 11) == 0, edits = strncmp(method, "editMessage", 11) == 0;
    if (sends || edits)
        snprintf(json, sizeof json,
                 "{\"ok\":true,\"result\":{\"message_id\":%ld,\"date\":%ld,\"chat\":{\"id\":%d,\"type\":\"private\"},"
                 "\"text\":\"x\"}}",
                 message_id, (long)time(NULL), PERSON);
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
    if (sends)
        card_came(body, message_id++);
    int len = snprintf(reply, sizeof reply,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       strlen(json), json);
    send_all(c, reply, (size_t)len);
}

/* --- HTTP messages, as many as these sides need --- */

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

static void message_came(struct connection *c, const char *body)
{
    if (c->kind == API) {
        call_answer(c, c->bytes, body);
    } else if (c->kind == POLL) {
        poll_answered(c, c->bytes, body);
    } else {
        c->busy = false;
        if (strncmp(c->bytes, "HTTP/1.1 200", 12) != 0) {
            fprintf(stderr, "bench_polls: the server answered %.12s %.200s\n", c->bytes, body);
            wrong++;
        } else if (c->kind == SEND) {
            ask_next();
        }
    }
}

static void read_some(struct connection *c)
{
    size_t body;
    ssize_t n = read(c->fd, c->bytes + c->len, c->size - 1 - c->len);
    if (n <= 0) {
        wrong += c->kind == POLL;
        connection_close(c);
        return;
    }
    c->len += (size_t)n;
    for (size_t whole; c->kind != FREE && (whole = message_end(c, &body)) > 0;) {
        char after = c->bytes[whole];
        c->bytes[whole] = '\0';
        message_came(c, c->bytes + body);
        c->bytes[whole] = after;
        memmove(c->bytes, c->bytes + whole, c->len - whole);
        c->len -= whole;
    }
}

/* --- commands --- */

static void say_done(const char *more)
{
    double took_ms = now_ms() - now_doing.begun_ms;
    doing = IDLE;
    printf("seconds %.2f cards %d polls %d renewed %ld wrong %d cpu_share %.2f%s\n", took_ms / 1e3, cards, polls,
           renewed, wrong, (cpu_ms() - now_doing.cpu_ms) / took_ms, more);
    fflush(stdout);
}

static void drop_all(void)
{
    for (int i = 0; i < polls; i++)
        if (poll_of[i].kind == POLL)
            connection_close(&poll_of[i]);
    polls = polls_wanted = 0;
    say_done("");
}

/* A server closes what is idle for long. */
static void others_close(enum kind kind)
{
    for (int i = 0; i < OTHERS_MAX; i++)
        if (other[i].kind == kind)
            connection_close(&other[i]);
}

static void command_begin(void)
{
    char line[160];
    int n, a, b, c;
    if (!fgets(line, sizeof line, stdin))
        exit(0);
    now_doing.begun_ms = now_doing.progress_ms = now_doing.next_ms = now_ms();
    now_doing.cpu_ms = cpu_ms();
    if (sscanf(line, "ask %d", &n) == 1 && questions + n <= QUESTIONS_MAX) {
        doing = ASKING;
        now_doing.asked = questions;
        now_doing.until = questions += n;
        others_close(SEND);
        for (int i = 0; i < SENDS_AT_ONCE; i++)
            ask_next();
    } else if (sscanf(line, "hold %d %d %d %d", &n, &a, &b, &c) == 4 && n >= polls && n <= POLLS_MAX) {
        doing = HOLDING;
        polls_wanted = n;
        solo = a;
        low_ms = b;
        high_ms = c;
    } else if (sscanf(line, "tap %d %d %d", &n, &a, &b) == 3 && tapped + n <= solo && n <= 300) {
        doing = TAPPING;
        now_doing.from = tapped;
        now_doing.until = tapped + n;
        now_doing.burst = a;
        now_doing.pause_ms = b;
        others_close(HOOK);
    } else if (strncmp(line, "drop", 4) == 0) {
        drop_all();
    } else {
        errno = EINVAL;
        die("a command");
    }
}

static void tap_look(void)
{
    static char list[300 * 12];
    size_t used = 0;
    if (answered < tapped)
        return;
    if (tapped < now_doing.until) {
        if (now_doing.next_ms == 0) /* the burst is answered */
            now_doing.next_ms = now_ms() + now_doing.pause_ms;
        if (now_ms() < now_doing.next_ms)
            return;
        for (int i = 0; i < now_doing.burst && tapped < now_doing.until; i++)
            tap(tapped++);
        now_doing.next_ms = 0;
        return;
    }
    for (int i = now_doing.from; i < now_doing.until; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.3f", i > now_doing.from ? "," : " times ",
                                 question[i].answer_ms);
    say_done(list);
}

static void look(void)
{
    if (polls < polls_wanted)
        polls_open();
    if (doing != IDLE && now_ms() > now_doing.progress_ms + PATIENCE_MS)
        say_done(" gave_up 1");
    else if (doing == ASKING && cards == questions)
        say_done("");
    else if (doing == HOLDING && polls == polls_wanted)
        say_done("");
    else if (doing == TAPPING)
        tap_look();
}

static void listen_on(int port)
{
    int on = 1;
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listen_fd, 128) != 0)
        die("cannot listen");
}

static void descriptors_raise(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

int main(int argc, char **argv)
{
    static int of_stdin, of_listener;
    if (argc != 5)
        return 2;
    server_port = atoi(argv[2]);
    hook_secret = argv[3];
    bearer = argv[4];
    descriptors_raise();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_on(atoi(argv[1]));
    struct epoll_event first[2] = { { .events = EPOLLIN, .data.ptr = &of_stdin },
                                    { .events = EPOLLIN, .data.ptr = &of_listener } };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &first[0]);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &first[1]);
    for (;;) {
        struct epoll_event ev[256];
        int n = epoll_wait(epoll_fd, ev, 256, doing == IDLE ? 200 : polls < polls_wanted ? 0 : 1);
        for (int i = 0; i < n; i++) {
            struct connection *c = ev[i].data.ptr;
            if (ev[i].data.ptr == &of_stdin)
                command_begin();
            else if (ev[i].data.ptr == &of_listener)
                other_add(accept(listen_fd, NULL, NULL), API);
            else if (c->kind != FREE)
                read_some(c);
        }
        look();
    }
}
