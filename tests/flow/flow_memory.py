#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory: what was said is found by words at once and by meaning soon after; edited, deleted and foreign rows are not."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, Program, flow, main, wait_until  # noqa: E402
from models import status  # noqa: E402

STRANGER = 43
FRESH = "SELECT count(*) FROM vectors WHERE model = ?"
BUILTIN = "builtin-hash-1"
SMALL = "text-embedding-3-small"


def embedded(w, count, model):
    wait_until(lambda: w.db.one(FRESH, model) == count, f"{count} vectors of {model}")


def health(p):
    return json.loads(p.get("/health")[1])["memory"]


def start(w, **env):
    """With a server for embeddings, the built-in parser and two people."""
    w.with_models()
    p = w.start_assistant(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings",
                          TELEGRAM_USER_ID=f"{OWNER},{STRANGER}", **env)
    w.telegram.add_chat(STRANGER)
    return p


def found(w, question, words, chat=OWNER):
    reply = w.says(f"/search {question}", chat=chat)
    return words in reply.text


@flow
def a_question_that_shares_no_word(w):
    start(w)
    w.says("note: the sedan needs new tyres before winter")
    w.says("note: Anna likes orchids and dark chocolate")
    embedded(w, 2, SMALL)
    wait_until(lambda: found(w, "automobile garage", "sedan"), "the note by its meaning")
    assert not found(w, "automobile garage", "orchids")
    # words alone, at once
    assert found(w, "orchids", "Anna")
    # another person's question finds nothing of it
    assert not found(w, "automobile garage", "sedan", chat=STRANGER)
    assert w.db.one("SELECT count(*) FROM usage WHERE model = ?", SMALL) > 0


@flow
def edits_deletes_and_undo(w):
    start(w)
    reply = w.says("note: the sedan needs new tyres")
    embedded(w, 1, SMALL)
    wait_until(lambda: found(w, "automobile", "sedan"), "the note by its meaning")
    w.db.change("UPDATE notes SET content = 'the puppy eats at noon'")
    assert not found(w, "automobile", "puppy")
    wait_until(lambda: found(w, "canine", "puppy"), "the edited note by its meaning")
    assert not found(w, "automobile", "puppy")
    w.db.change("UPDATE notes SET deleted_at = 1")
    assert not found(w, "canine", "puppy")
    w.db.change("UPDATE notes SET deleted_at = NULL")
    asked = len(w.models.requests)
    assert found(w, "canine", "puppy"), "undo brings the vector back"
    assert len(w.models.requests) == asked, "and pays nothing for it"
    assert reply.text


@flow
def the_embedder_is_down(w):
    start(w)
    w.models.script([{"for": "embeddings", "times": 3, **status(429, headers={"retry-after": "1"})}])
    w.says("note: the sedan needs new tyres")
    assert found(w, "sedan", "tyres"), "by words, while the server refuses"
    embedded(w, 1, SMALL)
    wait_until(lambda: "error" not in health(w.program), "the recovery")
    w.models.stop()
    w.says("note: the puppy eats at noon")
    assert found(w, "puppy", "noon"), "by words, without a server"
    assert w.program.get("/health")[0] == 200
    w.models.start()
    embedded(w, 2, SMALL)


@flow
def another_model_embeds_anew(w):
    p = start(w)
    w.says("note: the sedan needs new tyres")
    embedded(w, 1, SMALL)
    p.stop()
    w.programs.pop()
    p = w.start(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings",
                EMBEDDING_MODEL="text-embedding-3-large", EMBEDDING_DIMENSIONS=256)
    assert found(w, "sedan", "tyres")
    embedded(w, 1, "text-embedding-3-large")
    assert w.db.one("SELECT dimensions FROM vectors WHERE model = ?", "text-embedding-3-large") == 256
    wait_until(lambda: found(w, "automobile", "sedan"), "the note by the new model")


@flow
def misspelt_words_and_the_built_in_embedder(w):
    w.start_assistant()
    w.says("note: The wifi password at the cabin is hunter2")
    w.says("note: Anna likes dark chocolate and orchids")
    w.says("note: the plumber comes every second tuesday")
    embedded(w, 3, BUILTIN)
    wait_until(lambda: found(w, "pasword cabn", "hunter2"), "the note by misspelt words")
    assert not found(w, "pasword cabn", "orchids")
    assert found(w, "orchdis choclate", "Anna")
    assert not found(w, "submarine volcano", "Anna")
    code, out, err = w.command("search", "--json", "plummber")
    assert code == 0 and json.loads(out)["results"][0]["content"].startswith("the plumber"), (out, err)


@flow
def kill_and_restart(w):
    p = start(w)
    for i in range(5):
        w.says(f"note: the sedan needs tyre number {i}")
    embedded(w, 5, SMALL)
    w.wait_idle()
    p.kill()
    w.programs.pop()
    asked = len(w.models.requests)
    w.start(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    wait_until(lambda: health(w.program)["vectors"] == 5, "vectors in memory")
    assert found(w, "automobile", "sedan")
    texts = [t for r in w.models.requests[asked:] for t in [r.get("text", "")]]
    assert all("tyre number" not in t for t in texts), "nothing was paid for twice"
    # a clean stop leaves a snapshot, the next start takes it
    w.program.stop()
    w.programs.pop()
    w.start(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    if w.db.kind == "sqlite":
        assert os.path.exists(w.db.path + ".vectors")
    time.sleep(1.5)  # longer than the lane's interval: nobody has written, nothing has changed, so nothing is loaded
    # (on PostgreSQL other databases' transactions of this cluster may make the snapshot look older than the last change)
    assert health(w.program)["vectors"] in ((0,) if w.db.kind == "sqlite" else (0, 5))
    assert found(w, "automobile", "sedan")
    wait_until(lambda: health(w.program)["vectors"] == 5, "vectors in memory")
    w.program.stop()
    w.programs.pop()
    w.start(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    w.says("/help")  # any message: a question may follow
    wait_until(lambda: health(w.program)["vectors"] == 5, "vectors in memory")
    # what happened while no program ran is seen in spite of the snapshot
    w.program.stop()
    w.programs.pop()
    w.db.change("UPDATE notes SET content = 'the puppy eats at noon' WHERE id = 1")
    w.db.change("UPDATE notes SET deleted_at = 1 WHERE id = 2")
    w.start(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    assert not found(w, "automobile", "number 1") and not found(w, "automobile", "number 0")
    wait_until(lambda: found(w, "canine", "puppy"), "the note that was edited meanwhile")


@flow(databases=("postgres",))
def two_instances(w):
    first = start(w)
    env = w.environment(ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings",
                        TELEGRAM_BOT_TOKEN=None, TELEGRAM_USER_ID=OWNER)
    second = Program(w.binary, w.db.url, w.scratch, env)
    w.programs.append(second)
    second.start()
    w.says("note: the sedan needs new tyres")
    embedded(w, 1, SMALL)
    for p in (first, second):
        wait_until(lambda: health(p)["vectors"] == 1, "the vector in both")
    w.db.change("UPDATE notes SET deleted_at = 1")
    for p in (first, second):
        wait_until(lambda: health(p)["vectors"] == 0 and health(p)["items"] == 0, "gone from both")
    asked = [r for r in w.models.requests if "sedan" in r.get("text", "")]
    assert len(asked) == 1, "embedded once, not by each"


@flow
def reindex_and_categories(w):
    w.with_telegram()
    w.start()
    w.says("note: buy orchids #garden")
    embedded(w, 1, BUILTIN)
    before = w.db.one("SELECT hash FROM vectors")
    w.db.change("UPDATE categories SET name = 'Greenhouse', name_key = 'greenhouse' WHERE name_key = 'garden'")
    wait_until(lambda: w.db.one("SELECT hash FROM vectors") != before or w.db.one("SELECT count(*) FROM categories WHERE name = 'Greenhouse'") == 0,
               "the renamed category embedded anew")
    w.program.stop()
    w.programs.pop()
    w.db.change("DELETE FROM vectors")
    code, out, err = w.command("reindex")
    assert code == 0 and "1 of 1 items embedded" in err, err
    assert w.db.one(FRESH, BUILTIN) == 1
    code, out, err = w.command("reindex", "--force")
    assert code == 0 and "1 of 1 items embedded" in err, err


@flow
def the_daily_limit_holds_for_embeddings(w):
    start(w, DAILY_TOKEN_LIMIT=5)
    w.says("note: the sedan needs new tyres before the long winter begins")
    embedded(w, 1, SMALL)
    w.says("note: the puppy eats at noon and sleeps in the afternoon")
    wait_until(lambda: health(w.program)["limited"], "the lane's notice of the limit")
    assert found(w, "puppy", "noon"), "words are free"
    wait_until(lambda: health(w.program)["waiting"] == 1, "one that waits")
    w.wait_idle()
    assert w.db.one(FRESH, SMALL) == 1
    asked = len([r for r in w.models.requests if "puppy" in r.get("text", "")])
    assert asked == 0, "nothing is sent once the limit is reached"


@flow
def vectors_go_out_and_come_back(w):
    rows = [{"type": "note", "id": 1, "content": "the wifi password"}, {"type": "task", "id": 2, "content": "buy bread", "due_date": "2026-12-01"},
            {"type": "sleep", "date": "2026-11-01", "hours": 7.5}]
    code, _, err = w.command("import", stdin="".join(json.dumps(r) + "\n" for r in rows))
    assert code == 0, err
    assert w.command("reindex")[0] == 0
    code, first, err = w.command("export", "--vectors")
    assert code == 0, err
    out = json.loads(first)
    assert out["metadata"]["total_items"] == 3 and out["metadata"]["dimensions"] == 384, out["metadata"]
    assert {i["id"] for i in out["items"]} == {"note_1", "task_2", "sleep_1"}
    before = w.db.rows("SELECT item_type, item_id, hash, vector FROM vectors ORDER BY item_type")
    bad = first.replace('"embedding":[', '"embedding":[null,', 1)
    code, _, err = w.command("import", "--vectors", stdin=bad)
    assert code == 1 and "line 3" in err and "nothing was imported" in err, err
    # into an empty database: tasks and notes come along, a log's numbers are not in the file
    w.db.change("DELETE FROM vectors")
    w.db.change("DELETE FROM notes")
    w.db.change("DELETE FROM tasks")
    code, _, err = w.command("import", "--vectors", stdin=first)
    assert code == 0 and "imported 3 vectors" in err and "1 tasks and 1 notes" in err, err
    after = w.db.rows("SELECT item_type, item_id, hash, vector FROM vectors ORDER BY item_type")
    assert [(a, b, c, bytes(d)) for a, b, c, d in after] == [(a, b, c, bytes(d)) for a, b, c, d in before]
    second = w.command("export", "--vectors")[1]
    assert json.loads(second)["items"] == out["items"]
    assert [l for l in second.split("\n") if '"id"' in l] == [l for l in first.split("\n") if '"id"' in l]


if __name__ == "__main__":
    sys.exit(main())
