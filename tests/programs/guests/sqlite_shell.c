/* A small SQLite shell: `sqlite_shell FILE [SQL…]`. Runs each argument, or else what it reads from stdin, and prints rows
   with `|` between columns. Ends with status 1 at the first error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite3.h"

static int print_row(void *unused, int count, char **values, char **names) {
    (void)unused;
    (void)names;
    for (int i = 0; i < count; i++) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    printf("\n");
    return 0;
}

static void run(sqlite3 *db, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(db, sql, print_row, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "error: %s\n", message ? message : sqlite3_errmsg(db));
        exit(1);
    }
}

int main(int argc, char **argv) {
    sqlite3 *db;
    if (argc < 2) {
        fprintf(stderr, "usage: sqlite_shell FILE [SQL...]\n");
        return 2;
    }
    if (sqlite3_open(argv[1], &db) != SQLITE_OK) {
        fprintf(stderr, "error: %s\n", sqlite3_errmsg(db));
        return 1;
    }
    for (int i = 2; i < argc; i++) run(db, argv[i]);
    if (argc == 2) {
        size_t used = 0, capacity = 4096;
        char *sql = malloc(capacity);
        for (size_t n; sql && (n = fread(sql + used, 1, capacity - used - 1, stdin)) > 0;) {
            used += n;
            if (used + 1 == capacity) sql = realloc(sql, capacity *= 2);
        }
        if (!sql) return 1;
        sql[used] = 0;
        run(db, sql);
        free(sql);
    }
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
