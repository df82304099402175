/* SPDX-License-Identifier: MIT
 * limits: every bound of the program, with its unit and its reason.
 * Over a bound is a clear error, never a silent cut. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB 1024
#define MIB (1024 * 1024)

enum {
    /* --- what comes in --- */
    WEBHOOK_BODY_BYTES_MAX = 1 * MIB, /* Telegram states no bound; its own buffer starts at 64 KiB */
    HTTP_BODY_BYTES_MAX = 1 * MIB,    /* every other route */
    JSON_DEPTH_MAX = 32,              /* an update nests about 8 deep */
    INTAKE_QUEUE_MAX = 8192,          /* updates waiting for their commit; more → 503 */
    INTAKE_BATCH_MAX = 256,           /* updates per commit: beyond it the gain is under 5 % */
    HTTP_HEAD_BYTES_MAX = 64 * KIB,   /* request line and headers; browsers and proxies stay under 16 */
    HTTP_INPUT_BYTES_MAX = 64 * MIB,  /* not yet answered, of all connections: secrets are compared after bodies */
    HTTP_CONNECTIONS_MAX = 16384,     /* and never above the fd limit minus 256 */
    HTTP_REQUEST_TIMEOUT_MS = 60000,  /* idle + headers + body of one request (h2o counts them as one) */
    EXPORT_LINE_BYTES_MAX = 1 * MIB,  /* one row of an import file */
    IMPORT_ROWS_MAX = 1000000,

    /* --- the pipeline --- */
    LEASE_MS = 240000, /* one step of a turn: two providers of MODEL_TIMEOUT_MS each, and room; every step renews it */
    INBOX_CRASHES_MAX = 3,     /* a row that killed its worker three times is parked */
    INBOX_LAST_TRY_MS = 20000, /* it is tried once more after this: the kills may have come from outside */
    RESCUE_INTERVAL_MS = 1000,
    CLOCK_STEP_MS = 10000,   /* a wall clock that moves so far by itself was set: NTP trims by less */
    POLL_INTERVAL_MS = 1000, /* the truth behind the hints */
    WORKERS_DEFAULT = 16,    /* blocked on model calls most of the time; 256 KiB stacks */
    WORKER_STACK_BYTES = 512 * KIB,
    TURN_ROUNDS_MAX = 5,         /* model calls of one message */
    TURN_CALLS_MAX = 10,         /* tool calls of one message */
    HISTORY_TURNS_MAX = 12,      /* plain-text turns given to the model */
    HISTORY_BYTES_MAX = 6 * KIB, /* about 1,500 tokens */
    UNDO_WINDOW_MS = 24 * 3600 * 1000,
    DRAIN_MS = 8000, /* from SIGTERM to exit */

    /* --- text --- */
    MESSAGE_BYTES_MAX = 64 * KIB, /* what a person may send in one message */
    TASK_CONTENT_BYTES_MAX = 4 * KIB,
    NOTE_CONTENT_BYTES_MAX = 32 * KIB,
    CATEGORY_NAME_BYTES_MAX = 128,
    TELEGRAM_TEXT_UNITS_MAX = 4096, /* UTF-16 units after entity parsing */
    TELEGRAM_CALLBACK_BYTES_MAX = 64,
    REPLY_BYTES_MAX = 256 * KIB, /* one reply before splitting */
    REPLY_PARTS_MAX = 20,        /* messages of one reply */

    /* --- sending --- */
    SEND_CHAT_INTERVAL_MS = 1000, /* Telegram: about 1 message/s per chat, short bursts pass */
    SEND_CHAT_BURST = 3,
    SEND_GROUP_PER_MINUTE = 20,
    SEND_GROUP_LOW_PER_MINUTE = 12, /* of these for milestones and heartbeats: 8 stay for questions and their answers */
    SEND_GLOBAL_PER_SECOND = 30,
    SEND_ATTEMPTS_MAX = 10, /* definite failures before a row is parked */
    SEND_UNKNOWN_MAX = 2,   /* sends of one row with unknown outcome before it is parked */

    /* --- models --- */
    MODEL_TIMEOUT_MS = 60000,
    MODEL_CONNECT_TIMEOUT_MS = 5000,
    MODEL_RETRIES_MAX = 2,
    MODEL_REPLY_BYTES_MAX = 2 * MIB,
    MODEL_OUTPUT_TOKENS_MAX = 2048,

    /* --- storage --- */
    DB_STATEMENT_TIMEOUT_MS = 15000,
    DB_BUSY_TIMEOUT_MS = 5000,
    DB_READERS_MAX = 8,
    DB_ROW_BYTES_MAX = 16 * MIB,          /* one value: an export on its way through the outbox is the largest */
    INBOX_KEEP_MS = 7 * 24 * 3600 * 1000, /* done rows; Telegram re-sends for 24 h at most */
};

#endif
