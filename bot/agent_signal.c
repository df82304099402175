/* SPDX-License-Identifier: MIT
 * agent_signal: see agent_signal.h.  Handlers only store: what has to be done is done by whoever sees the flag. */
#include "bot/agent_signal.h"
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { PARENT_INTERVAL_S = 2 };

volatile bool agent_stop, agent_stop_twice;
static volatile sig_atomic_t first_signal;
static volatile pid_t parent;

static void on_signal(int signal)
{
    if (first_signal)
        __atomic_store_n(&agent_stop_twice, true, __ATOMIC_RELAXED);
    else
        first_signal = signal;
    __atomic_store_n(&agent_stop, true, __ATOMIC_RELAXED);
}

/* Who kills a whole tool ends the shell around a hook, and the hook is given to another parent. */
static void on_alarm(int signal)
{
    (void)signal;
    if (!first_signal && getppid() != parent)
        on_signal(SIGTERM);
}

void agent_signal_catch(void)
{
    static const int stopping[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction now, act = { .sa_handler = on_signal };
    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
        if (sigaction(stopping[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaction(stopping[i], &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void agent_signal_watch_parent(void)
{
    struct sigaction act = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
    struct itimerval every = { .it_interval = { .tv_sec = PARENT_INTERVAL_S },
                               .it_value = { .tv_sec = PARENT_INTERVAL_S } };
    sigemptyset(&act.sa_mask);
    parent = getppid();
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

int agent_signal_exit_code(void)
{
    return 128 + (first_signal ? (int)first_signal : SIGTERM);
}
