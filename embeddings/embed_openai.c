/* SPDX-License-Identifier: MIT
 * embed_openai: POST {base}/embeddings as OpenAI, Ollama, llama.cpp and TEI speak it.  Pure; any thread.
 * Answers are matched by `index`; floats and base64 are both read; a longer vector is cut only for models that were
 * trained for it (text-embedding-3-*), any other length is refused: vectors of different lengths never mix. */
#include "base/json.h"
#include "embeddings/embedder.h"
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

static bool is_matryoshka(const char *model)
{
    return strncmp(model, "text-embedding-3-", 17) == 0;
}

static void build(const struct embed_options *o, struct arena *arena, const char *const *texts, size_t count,
                  bool without_dimensions, struct embed_call *out)
{
    struct json_object *root = json_keep(arena, json_object_new_object()), *input = json_object_new_array();
    int n = 0;
    json_set_str(root, "model", o->model);
    for (size_t i = 0; i < count; i++)
        json_push(input, json_object_new_string(*texts[i] ? texts[i] : " ")); /* an empty string is refused */
    json_set(root, "input", input);
    if (!without_dimensions && strcmp(o->model, "text-embedding-ada-002") != 0)
        json_set_int(root, "dimensions", o->dimensions);
    json_set_str(root, "encoding_format", "float");
    out->url = arena_printf(arena, "%s/embeddings", o->base_url);
    out->body = json_text(arena, root);
    out->body_len = strlen(out->body);
    out->headers[n++] = "content-type: application/json";
    if (o->api_key)
        out->headers[n++] = arena_printf(arena, "authorization: Bearer %s", o->api_key);
    out->headers[n] = NULL;
}

static enum status wrong_length(const struct embed_options *o, size_t got, struct error *error)
{
    return fail(error, ST_INVALID,
                "the embedding model %s answers with %zu numbers, EMBEDDING_DIMENSIONS says %u: set it to %zu",
                o->model, got, o->dimensions, got);
}

static enum status check_length(const struct embed_options *o, size_t got, struct error *error)
{
    if (got == o->dimensions || (got > o->dimensions && is_matryoshka(o->model)))
        return OK;
    return wrong_length(o, got, error);
}

static enum status read_floats(const struct embed_options *o, struct json_object *list, float *out, struct error *error)
{
    enum status st = check_length(o, json_object_array_length(list), error);
    for (size_t i = 0; st == OK && i < o->dimensions; i++) {
        struct json_object *number = json_object_array_get_idx(list, i);
        if (!json_object_is_type(number, json_type_double) && !json_object_is_type(number, json_type_int))
            return fail(error, ST_INVALID, "the embedding holds something that is no number");
        out[i] = (float)json_object_get_double(number);
    }
    return st;
}

static enum status read_base64(const struct embed_options *o, struct arena *arena, const char *text, float *out,
                               struct error *error)
{
    size_t len = strlen(text);
    unsigned char *bytes = arena_alloc(arena, len / 4 * 3 + 4);
    int n =
        len > 0 && len % 4 == 0 && len < INT32_MAX ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) : -1;
    if (n >= 0)
        n -= (text[len - 1] == '=') + (text[len - 2] == '=');
    if (n <= 0 || n % 4 != 0)
        return fail(error, ST_INVALID, "the embedding is not base64 of fp32 numbers");
    enum status st = check_length(o, (size_t)n / 4, error);
    for (size_t i = 0; st == OK && i < o->dimensions; i++) {
        uint32_t bits = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16 |
                        (uint32_t)bytes[4 * i + 3] << 24;
        memcpy(&out[i], &bits, sizeof bits);
    }
    return st;
}

static enum status read_item(const struct embed_options *o, struct arena *arena, struct json_object *item, size_t place,
                             size_t count, bool *seen, float *out, struct error *error)
{
    struct json_object *vector = json_at(item, "embedding");
    int64_t index = json_int(item, "index", (int64_t)place);
    if (index < 0 || (size_t)index >= count || seen[index])
        return fail(error, ST_INVALID, "the embedding server numbered its answers wrongly");
    seen[index] = true;
    out += (size_t)index * o->dimensions;
    if (json_object_is_type(vector, json_type_array))
        return read_floats(o, vector, out, error);
    if (json_object_is_type(vector, json_type_string))
        return read_base64(o, arena, json_object_get_string(vector), out, error);
    return fail(error, ST_INVALID, "the embedding server's answer holds no embedding");
}

static enum status parse(const struct embed_options *o, struct arena *arena, const char *body, size_t len, size_t count,
                         float *out, int64_t *tokens, struct error *error)
{
    struct json_object *root;
    struct error why;
    if (json_parse_in(arena, body, len, &root, &why) != OK)
        return fail(error, ST_INVALID, "the embedding server's answer is not JSON");
    struct json_object *data = json_at(root, "data");
    if (!json_object_is_type(data, json_type_array) || json_object_array_length(data) != count)
        return fail(error, ST_INVALID, "the embedding server did not answer with one vector for each text");
    bool *seen = arena_alloc(arena, count * sizeof *seen);
    enum status st = OK;
    for (size_t i = 0; i < count && st == OK; i++)
        st = read_item(o, arena, json_object_array_get_idx(data, i), i, count, seen, out, error);
    *tokens = json_int(root, "usage.total_tokens", json_int(root, "usage.prompt_tokens", 0));
    return st;
}

const struct embed_provider embed_openai = { "openai", build, parse };
