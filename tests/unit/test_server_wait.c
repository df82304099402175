/* SPDX-License-Identifier: MIT
 * The web server over real sockets: answers from other threads, held polls, clients that leave, streams, draining. */
#include "tests/unit/server_fixture.h"

#include "bot/deferred.h"
#include "bot/stream.h"
#include <pthread.h>

enum { CLIENTS = 300, STREAM_CHUNK = 60000 };

static atomic_int answered, gone, released, closed, drained, task_sum;
static struct deferred *parked[CLIENTS];
static atomic_int parked_count;
static struct stream *the_stream;

/* --- handlers --- */

static void park_answer(struct request *r, enum deferred_why why, void *arg)
{
    static const char *const words[] = {
        [DEFERRED_DONE] = "done", [DEFERRED_TIMEOUT] = "timeout", [DEFERRED_LEFT] = "left", [DEFERRED_DRAIN] = "drain"
    };
    struct json_object *o = json_object_new_object();
    (void)arg;
    json_set_str(o, "why", words[why]);
    atomic_fetch_add(&answered, 1);
    request_json(r, 200, o);
}

static void park_gone(void *arg)
{
    (void)arg;
    atomic_fetch_add(&gone, 1);
}

static void park_release(void *arg)
{
    free(arg);
    atomic_fetch_add(&released, 1);
}

static void on_park(struct request *r, void *arg)
{
    static const struct deferred_ops ops = { park_answer, park_gone, park_release };
    const char *wait = request_query(r, "wait");
    struct deferred *d = request_defer(r, &ops, xmalloc(16), wait ? atoi(wait) : DEFERRED_NO_TIMEOUT);
    (void)arg;
    parked[atomic_load(&parked_count)] = d; /* handlers run one at a time */
    atomic_fetch_add(&parked_count, 1);
}

static void on_drained(struct stream *st, void *arg)
{
    (void)st, (void)arg;
    atomic_fetch_add(&drained, 1);
}

static void on_closed(void *arg)
{
    (void)arg;
    atomic_fetch_add(&closed, 1);
}

static void on_stream(struct request *r, void *arg)
{
    static const struct stream_ops ops = { on_drained, on_closed };
    (void)arg;
    the_stream = request_stream(r, "text/event-stream", &ops, NULL);
}

static void stream_fill(struct loop_task *t)
{
    static char chunk[STREAM_CHUNK];
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 2 * STREAM_PENDING_BYTES_MAX / STREAM_CHUNK; i++)
        stream_write(the_stream, chunk, sizeof chunk);
    ck_assert(!stream_write(the_stream, chunk, sizeof chunk));
    ck_assert_uint_le(stream_pending(the_stream), 2 * STREAM_PENDING_BYTES_MAX);
    free(t);
}

static void stream_word(struct loop_task *t)
{
    static const char *const words[] = { "data: one\n\n", "data: two\n\n", "data: three\n\n" };
    for (int i = 0; i < 3; i++) /* the second while the first is being sent */
        ck_assert(stream_write(the_stream, words[i], strlen(words[i])));
    free(t);
}

static void post(void (*run)(struct loop_task *))
{
    struct loop_task *t = xcalloc(1, sizeof *t);
    t->run = run;
    server_post(server, t);
}

static const struct route rows[] = {
    { "POST", "/echo", auth_none, on_echo },
    { "GET", "/ask", auth_none, on_ask },
    { "GET", "/park", auth_none, on_park },
    { "GET", "/stream", auth_none, on_stream },
    { 0 },
};

static void up(void)
{
    answered = gone = released = closed = drained = parked_count = task_sum = 0;
    server_up(rows);
}

/* --- tests --- */

static void *finish_all(void *arg)
{
    int n = atomic_load(&parked_count);
    (void)arg;
    for (int i = 0; i < n; i++)
        deferred_finish(parked[i]);
    return NULL;
}

START_TEST(deferred_answers_from_another_thread)
{
    int fd[CLIENTS];
    pthread_t t;
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = dial();
        put(fd[i], "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_for(&parked_count, CLIENTS);
    for (int i = 0; i < CLIENTS; i += 3)
        close(fd[i]); /* these do not wait */
    pthread_create(&t, NULL, finish_all, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 == 0)
            continue;
        has(get(fd[i], "}"), "\"why\":\"done\"");
        close(fd[i]);
    }
    pthread_join(t, NULL);
    wait_for(&released, CLIENTS);
    ck_assert_int_eq(atomic_load(&answered) + atomic_load(&gone), CLIENTS);
}
END_TEST

/* A socket whose request waits stays polled and is not read: nothing may be lost, answered out of turn, or spin. */
START_TEST(what_comes_before_the_answer_is_read_after_it)
{
    enum { LARGE = 40000 };
    static const char park[] = "GET /park HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                               "Content-Length: 40000\r\n\r\n{\"large\":\"";
    static char body[LARGE + 1 - 10]; /* what the head has of it: {"large":" */
    struct timespec before, after;
    int fd = dial();
    memset(body, 'a', sizeof body - 1);
    memcpy(body + sizeof body - 3, "\"}", 2);
    for (int round = 0; round < 3; round++) {
        put(fd, park);
        wait_for(&parked_count, round + 1);
        put(fd, "GET /ask?q=sec");
        put(fd, "ond HTTP/1.1\r\nHost: x\r\n\r\n");
        put(fd, head);
        put(fd, body);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        clock_sleep_ms(200);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000, 100);
        deferred_finish(parked[round]);
        const char *reply = get(fd, "aaa\"}");
        const char *first = strstr(reply, "\"why\":\"done\""), *second = strstr(reply, "\"q\":\"second\"");
        ck_assert(first && second && first < second);
        has(second, "{\"large\":\"aaa");
        wait_for(&released, round + 1);
    }
    close(fd);
}
END_TEST

START_TEST(a_held_poll_ends_with_its_time_or_its_client)
{
    int a = dial(), b = dial();
    put(a, "GET /park?wait=300 HTTP/1.1\r\nHost: x\r\n\r\n");
    has(get(a, "}"), "\"why\":\"timeout\"");
    put(b, "GET /park?wait=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 2);
    close(b);
    wait_for(&gone, 2);
    finish_all(NULL);
    wait_for(&released, 2);
    close(a);
}
END_TEST

START_TEST(draining_answers_held_polls_and_waits_for_work)
{
    int a = dial(), b = dial(), idle = dial();
    pthread_t t;
    put(a, "GET /park?wait=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 1);
    put(b, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 2);
    struct server_counters c;
    server_count(server, &c);
    ck_assert_int_eq(c.deferred, 2);
    pthread_create(&t, NULL, (void *(*)(void *))(void *)finish_all, NULL);
    server_drain(server, 5000);
    has(get(a, "}"), "\"why\":\"d"); /* drain or done, whichever came first */
    const char *r = get(b, "}");
    has(r, "\"why\":\"done\"");
    ck_assert_int_eq(read(idle, &(char){ 0 }, 1), 0);
    pthread_join(t, NULL);
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&released), 2);
    close(a), close(b), close(idle);
}
END_TEST

START_TEST(draining_does_not_wait_for_ever)
{
    int a = dial();
    put(a, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 1);
    server_drain(server, 1000); /* nobody finishes it */
    has(get(a, "}"), "\"why\":\"drain\"");
    deferred_finish(parked[0]); /* late, after the loop's end: released all the same */
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&released), 1);
    close(a);
}
END_TEST

START_TEST(streams_write_and_notice_the_end)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *r = get(fd, ": hello\n\n");
    has(r, "text/event-stream");
    post(stream_word);
    r = get(fd, "three");
    ck_assert(strstr(r, "one") < strstr(r, "two") && strstr(r, "two") < strstr(r, "three"));
    close(fd);
    wait_for(&closed, 1);
}
END_TEST

START_TEST(a_stream_nobody_reads_is_bounded)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    get(fd, ": hello\n\n");
    for (int i = 0; i < 4; i++)
        post(stream_fill); /* far more than the socket's own buffers take: asserts the refusal */
    clock_sleep_ms(300);
    struct server_counters c;
    server_count(server, &c);
    ck_assert_int_eq(c.streams, 1);
    close(fd);
    wait_for(&closed, 1);
}
END_TEST

START_TEST(draining_ends_streams)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    get(fd, ": hello\n\n");
    server_drain(server, 2000);
    has(get(fd, NULL), "0\r\n\r\n");
    ck_assert_int_eq(atomic_load(&closed), 1);
    close(fd);
}
END_TEST

static void task_count(struct loop_task *t)
{
    atomic_fetch_add(&task_sum, 1);
    free(t);
}
static void *task_poster(void *arg)
{
    for (int i = 0; i < 2000; i++)
        post(task_count);
    return arg;
}

START_TEST(posts_of_many_threads_all_run)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, task_poster, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    wait_for(&task_sum, 8000);
    server_drain(server, 1000);
    post(task_count); /* after the end: runs when the server is freed */
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&task_sum), 8001);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("waiting");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, up, server_down);
    tcase_add_test(t, deferred_answers_from_another_thread);
    tcase_add_test(t, what_comes_before_the_answer_is_read_after_it);
    tcase_add_test(t, a_held_poll_ends_with_its_time_or_its_client);
    tcase_add_test(t, draining_answers_held_polls_and_waits_for_work);
    tcase_add_test(t, draining_does_not_wait_for_ever);
    tcase_add_test(t, streams_write_and_notice_the_end);
    tcase_add_test(t, a_stream_nobody_reads_is_bounded);
    tcase_add_test(t, draining_ends_streams);
    tcase_add_test(t, posts_of_many_threads_all_run);
    return run_suite("server: waiting", t);
}
