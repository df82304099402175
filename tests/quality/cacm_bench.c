/* SPDX-License-Identifier: MIT
 * cacm_bench: rank documents with the program's own lexical index.
 * Reads JSON lines {"id","text"} from DOCS and QUERIES, writes "query rank id score" lines. */
#include "base/json.h"
#include "embeddings/lexical.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 1000, IDS_MAX = 100000 };

static struct json_object *next_line(struct arena *arena, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    struct json_object *object = NULL;
    struct error error;
    ssize_t n = getline(&line, &room, file);
    if (n > 0 && json_parse_in(arena, line, strcspn(line, "\n"), &object, &error) != OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    free(line);
    return object;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s DOCS QUERIES [K1 B]\n", argv[0]);
        return 2;
    }
    FILE *docs = fopen(argv[1], "r"), *queries = fopen(argv[2], "r");
    struct lexical_options options = { argc > 3 ? atof(argv[3]) : 0, argc > 4 ? atof(argv[4]) : 0 };
    struct lexical *lx = lexical_new(&options);
    struct arena *arena = arena_new();
    static const char *id[IDS_MAX];
    struct json_object *o;
    if (!docs || !queries)
        return 1;
    for (int64_t key = 0; key < IDS_MAX && (o = next_line(arena, docs)); key++) {
        id[key] = json_str(o, "id", "");
        lexical_add(lx, key, NULL, json_str(o, "text", ""));
    }
    while ((o = next_line(arena, queries))) {
        struct lexical_hit *hit;
        size_t n = lexical_search(lx, arena, json_str(o, "text", ""), DEPTH, NULL, NULL, &hit);
        for (size_t i = 0; i < n; i++)
            printf("%s %zu %s %.9f\n", json_str(o, "id", ""), i + 1, id[hit[i].key], hit[i].score);
    }
    fclose(docs);
    fclose(queries);
    lexical_free(lx);
    arena_free(arena);
    return 0;
}
