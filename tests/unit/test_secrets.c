/* SPDX-License-Identifier: MIT
 * test_secrets: what is masked, what must stay, and that it stays linear. */
#include "base/secrets.h"
#include "base/buf.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define M SECRET_MASK

static struct arena *a;
static void begin(void)
{
    a = arena_new();
}
static void end(void)
{
    arena_free(a);
}

struct sample {
    const char *text, *masked;
};

static void check_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *masked = text_mask_secrets(a, samples[i].text);
        ck_assert_msg(strcmp(masked, samples[i].masked) == 0, "%s\n  gave %s\n  want %s", samples[i].text, masked,
                      samples[i].masked);
        ck_assert_str_eq(text_mask_secrets(a, masked), masked); /* masked once is masked */
    }
}
#define CHECK(samples) check_samples(samples, sizeof(samples) / sizeof *(samples))

/* The tokens are put together here, so that no scanner takes this file for a leak. */
START_TEST(tokens_by_their_first_letters)
{
    static const struct sample samples[] = {
        { "echo sk-ant-"
          "api03-abcdefghijklmnop1234",
          "echo sk-ant-api0" M },
        { "x sk-"
          "abcdefghijklmnop12345678 y",
          "x sk-abcd" M " y" },
        { "(sk-"
          "proj-abcdefghijklmnop1234)",
          "(sk-proj-abcd" M ")" },
        { "ghp_"
          "abcdefghijklmnopqrstuvwxyz0123456789",
          "ghp_abcd" M },
        { "gho_"
          "abcdefghijklmnopqrstuvwxyz0123456789",
          "gho_abcd" M },
        { "ghs_"
          "abcdefghijklmnopqrstuvwxyz0123456789",
          "ghs_abcd" M },
        { "github_pat_"
          "11ABCDEFG0123456789_abcdefghijkl",
          "github_pat_11AB" M },
        { "glpat-"
          "abcdefghij0123456789",
          "glpat-abcd" M },
        { "xoxb-"
          "123456789012-abcdef",
          "xoxb-" M },
        { "xoxp-"
          "123456789012-abcdef",
          "xoxp-" M },
        { "id AKIA"
          "IOSFODNN7EXAMPLE.",
          "id AKIAIOSF" M "." },
        { "ASIA"
          "IOSFODNN7EXAMPLE",
          "ASIAIOSF" M },
        { "key=AIza"
          "SyA0123456789abcdefghijklmnopqrstuv",
          "key=AIzaSyA0" M },
        { "eyJ"
          "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_X",
          "eyJh" M },
        { "https://api.telegram.org/bot123456789:AA"
          "Eabcdefghijklmnopqrstuvwxyz012345/getMe",
          "https://api.telegram.org/bot123456789:AA" M "/getMe" },
        { "curl https://hooks.slack.com/services/T0000/B0000/"
          "abcdefghijklmnop",
          "curl https://hooks.slack.com/services/T000" M },
    };
    CHECK(samples);
}
END_TEST

START_TEST(headers_and_addresses)
{
    static const struct sample samples[] = {
        { "-H 'Authorization: Bearer abcDEF1234567890'", "-H 'Authorization: Bearer abcD" M "'" },
        { "authorization: basic dXNlcjpwYXNzd29yZDEy", "authorization: basic dXNl" M },
        { "-H \"X-Api-Key: abcdefgh\"", "-H \"X-Api-Key: ab" M "\"" },
        { "postgres://bob:s3cr3t@db:5432/x", "postgres://bob:" M "@db:5432/x" },
        { "git clone https://oauth2:p%40ss@example.org/x.git", "git clone https://oauth2:" M "@example.org/x.git" },
        { "https://x/cb?token=abcdef&n=1", "https://x/cb?token=a" M "&n=1" },
        { "https://x/cb?n=1&access_token=abcdefghij#top", "https://x/cb?n=1&access_token=abc" M },
    };
    CHECK(samples);
}
END_TEST

START_TEST(assignments)
{
    static const struct sample samples[] = {
        { "export DB_PASSWORD=hunter", "export DB_PASSWORD=h" M },
        { "GITHUB_TOKEN=abcdef ./run", "GITHUB_TOKEN=a" M " ./run" },
        { "password=hunter2", "password=h" M },
        { "password=hunter", "password=h" M },
        { "host=x password=hunter dbname=y", "host=x password=h" M " dbname=y" },
        { "password = \"hunter2\"", "password = \"h" M "\"" },
        { "passwd: hunter2", "passwd: h" M },
        { "  password: 'hunter'\n", "  password: 'h" M "'\n" },
        { "{\"password\": \"correct horse\", \"n\": 5}", "{\"password\": \"cor" M "\", \"n\": 5}" },
        { "{\"api_key\":\"k1\"}", "{\"api_key\":\"" M "\"}" },
        { "{\"token\": \"abc123def\"}", "{\"token\": \"ab" M "\"}" },
        { "-d \"{\\\"password\\\": \\\"hunter2\\\", \\\"a\\\":1}\"",
          "-d \"{\\\"password\\\": \\\"h" M "\\\", \\\"a\\\":1}\"" },
        { "'password' => 'hunter2'", "'password' => 'h" M "'" },
        { "secret := \"a1b2c3d4e5f6\"", "secret := \"a1b" M "\"" },
        { "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = wJal" M },
        { "AWS_SECRET_ACCESS_KEY=/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=/Jal" M },
        { "clientSecret: 'xäöü456'", "clientSecret: 'x" M "'" }, /* cut at a character */
    };
    CHECK(samples);
}
END_TEST

START_TEST(options)
{
    static const struct sample samples[] = {
        { "x --password hunter -v", "x --password h" M " -v" },
        { "x --api-key=abcd", "x --api-key=a" M },
        { "x --token 'abc def1'", "x --token 'abc def1'" }, /* words, not a token */
        { "mysql -u root -pRoot123 db", "mysql -u root -pR" M " db" },
        { "/usr/bin/mysqldump -p'Root 123' db", "/usr/bin/mysqldump -p'R" M " 123' db" },
        { "sshpass -p hunter2 ssh x", "sshpass -p h" M " ssh x" },
        { "docker login -u me -p hunter2", "docker login -u me -p h" M },
        { "curl -u admin:hunter2 https://x", "curl -u admin:h" M " https://x" },
        { "redis-cli -a hunter2 ping", "redis-cli -a h" M " ping" },
        { "openssl rsa -passin pass:hunter2", "openssl rsa -passin pass:h" M },
        { "machine x login me password hunter", "machine x login me password h" M },
    };
    CHECK(samples);
}
END_TEST

#define LINE64 "MIIEpAIBAAKCAQEA12345678901234567890123456789012345678901234+/90"

START_TEST(private_keys)
{
    static const struct sample samples[] = {
        { "-----BEGIN RSA PRIVATE KEY-----\n" LINE64 "\n" LINE64 "\nab==\n-----END RSA PRIVATE KEY-----\nls",
          "-----BEGIN RSA PRIVATE KEY-----\n" M "\n-----END RSA PRIVATE KEY-----\nls" },
        { "\"key\": \"-----BEGIN PRIVATE KEY-----\\n" LINE64 "\\nab==\\n-----END PRIVATE KEY-----\\n\"",
          "\"key\": \"-----BEGIN PRIVATE KEY-----\\n" M "\\n-----END PRIVATE KEY-----\\n\"" },
        { "+-----BEGIN EC PRIVATE KEY-----\n+" LINE64 "\n+ab==\n+-----END",
          "+-----BEGIN EC PRIVATE KEY-----\n" M "\n+-----END" },
        { "-----BEGIN PRIVATE KEY-----\n" LINE64, "-----BEGIN PRIVATE KEY-----\n" M }, /* cut off */
    };
    static const char *const plain[] = {
        "-----BEGIN CERTIFICATE-----\n" LINE64 "\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n" LINE64 "\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nreboot\n-----END PRIVATE KEY-----", /* a command stays in sight */
    };
    CHECK(samples);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        ck_assert_str_eq(text_mask_secrets(a, plain[i]), plain[i]);
}
END_TEST

START_TEST(ordinary_code_stays)
{
    static const char *const plain[] = {
        "int token_count = 5;",
        "if (password == NULL) return;",
        "password != old_password",
        "token = next_token();",
        "token = lexer.next2;",
        "token==next1token",
        "password=keys2[\"x\"]",
        "password=find_password2(x)",
        "password: user.password",
        "password=undefined",
        "{\"password\": \"string\"}",
        "\"password=\"+x1+\"&y\"",
        "mysql db; mkdir -pbuild/x",
        "password = user.password",
        "login(password=password, token=tok)",
        "f(user=user, password=user.password)",
        "password = getenv(\"PASSWORD\")",
        "token := os.Getenv(\"TOKEN\")",
        "password: string;",
        "token: Token",
        "secret = config[\"secret\"]",
        "const char *password; /* the password: see vault */",
        "printf(\"Password: \"); printf(\"token=%s\", tok);",
        "check(\"password:\", \"x\")",
        "Token::new()",
        "std::string password;",
        "PASSWORD=$PASSWORD ./x",
        "PASSWORD=\"$(pass show x)\"",
        "token=${TOKEN}",
        "password: {{ vault_password }}",
        "password = \"\"",
        "{\"token\": null, \"password\": true}",
        "MAX_TOKEN=4096",
        "--max-token 4096",
        "--password-stdin < file",
        "--no-password prompt",
        "--token-file /run/token",
        "PASSWORD_FILE=/run/secrets/db",
        "secret=/run/secrets/db",
        "docker run -p 8080:80 x",
        "mysql -p db",
        "mkdir -p build/x && cp -p a b",
        "curl -u \"$USER:$PASS\" https://x",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "git@github.com:owner/repo.git",
        "ssh://git@host:22/x http://localhost:8080/a@b",
        "Basic instructions and Bearer authentication",
        "a task-oriented-library-with-9-long-names",
        "12345678:90",
        "eyJ is how they begin",
        "2026-11-20T14:03:05Z",
        "",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const char *masked = text_mask_secrets(a, plain[i]);
        ck_assert_msg(masked == plain[i], "%s\n  gave %s", plain[i], masked);
    }
}
END_TEST

/* A mask that hid a command would be worse than a password on a phone. */
START_TEST(what_a_shell_runs_stays)
{
    static const char *const run[] = {
        "password=hunter2;reboot",        "password=hunter2&&reboot",
        "password=hunter2|reboot",        "password=hunter2$(reboot)",
        "password=\"hunter2$(reboot)\"",  "password=\"hunter2`reboot`\"",
        "--password hunter2;reboot",      "mysql -phunter2;reboot",
        "curl -u a:hunter2$(reboot)",     "http://a:hunter2;reboot;@x",
        "http://a:$(reboot)@x",           "Bearer abcDEF1234567890;reboot",
        "{\"password\": \"x$(reboot)\"}", "password='x reboot'",
        "TOKEN=abcdef1>reboot",           "sk-abcdefghijklmnop12345678;reboot",
    };
    for (size_t i = 0; i < sizeof run / sizeof *run; i++) {
        const char *masked = text_mask_secrets(a, run[i]);
        ck_assert_msg(strstr(masked, "reboot"), "%s\n  gave %s", run[i], masked);
    }
}
END_TEST

/* Each piece asks a rule to look far ahead again and again; a square of these sizes would take hours. */
START_TEST(long_texts_take_one_walk)
{
    static const char *const pieces[] = { "eyJ-",        "://",
                                          "://a:",       "-----BEGIN PRIVATE KEY-----",
                                          "sk-",         "password=\"",
                                          "token='",     "\"secret\": ",
                                          "bearer ",     "mysql -p",
                                          "a-",          "12345678:",
                                          "secret=\\\"", "-----BEGIN PRIVATE KEY-----\n" };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf b = BUF_INIT(4 << 20);
        while (b.len < 2000000)
            buf_puts(&b, pieces[i]);
        ck_assert_uint_gt(strlen(text_mask_secrets(a, b.data)), 0);
        buf_release(&b);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("secrets");
    TCase *tc = tcase_create("secrets");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, tokens_by_their_first_letters);
    tcase_add_test(tc, headers_and_addresses);
    tcase_add_test(tc, assignments);
    tcase_add_test(tc, options);
    tcase_add_test(tc, private_keys);
    tcase_add_test(tc, ordinary_code_stays);
    tcase_add_test(tc, what_a_shell_runs_stays);
    tcase_add_test(tc, long_texts_take_one_walk);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
