/* SQLite over a database in memory: inserts in a transaction, index creation, point look-ups, range scans, joins,
   grouping, text search, updates and deletes. */
#include "bench.h"
#include "sqlite3.h"

static sqlite3 *db;
static uint64_t sum;

static void check(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(const char *sql) {
    sqlite3_stmt *stmt;
    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const void *text = sqlite3_column_text(stmt, i);
            sum = bench_mix_bytes(sum, text ? text : "", (size_t)sqlite3_column_bytes(stmt, i));
        }
    }
    check(code);
    sqlite3_finalize(stmt);
}

int main(int argc, char **argv) {
    uint32_t rows = bench_size(argc, argv);
    bench_begin();
    check(sqlite3_open(":memory:", &db));
    run("CREATE TABLE item(id INTEGER PRIMARY KEY, grp INTEGER, name TEXT, price INTEGER)");
    run("CREATE TABLE grp(id INTEGER PRIMARY KEY, title TEXT)");
    run("BEGIN");
    sqlite3_stmt *insert;
    check(sqlite3_prepare_v2(db, "INSERT INTO item VALUES(?1, ?2, ?3, ?4)", -1, &insert, NULL));
    uint64_t state = 71;
    for (uint32_t i = 0; i < rows; i++) {
        char name[32];
        uint64_t r = bench_random(&state);
        bench_text(name, sizeof name, r);
        sqlite3_bind_int(insert, 1, (int)i);
        sqlite3_bind_int(insert, 2, (int)(r >> 8 & 255));
        sqlite3_bind_text(insert, 3, name, (int)(8 + (r >> 20) % 20), SQLITE_TRANSIENT);
        sqlite3_bind_int(insert, 4, (int)(r >> 40 & 0xffff));
        check(sqlite3_step(insert));
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 255) INSERT INTO grp SELECT i, 'group ' || i FROM n");
    run("COMMIT");
    run("CREATE INDEX item_price ON item(price, name)");
    run("CREATE INDEX item_grp ON item(grp)");
    sqlite3_stmt *look;
    check(sqlite3_prepare_v2(db, "SELECT name, price FROM item WHERE id = ?1", -1, &look, NULL));
    for (uint32_t i = 0; i < rows; i++) {
        sqlite3_bind_int(look, 1, (int)(bench_random(&state) % rows));
        check(sqlite3_step(look));
        sum = bench_mix(sum, (uint64_t)sqlite3_column_int(look, 1));
        sqlite3_reset(look);
    }
    sqlite3_finalize(look);
    run("SELECT count(*), sum(price), max(name) FROM item WHERE price BETWEEN 1000 AND 9000");
    run("SELECT grp.title, count(*), avg(price) FROM item JOIN grp ON grp.id = item.grp GROUP BY grp.id ORDER BY 2 DESC, 1 LIMIT 20");
    run("SELECT count(*) FROM item WHERE name LIKE '%the%' OR name LIKE '%and%'");
    run("SELECT name FROM item ORDER BY substr(name, 3), id LIMIT 10");
    run("UPDATE item SET price = price + length(name) WHERE grp % 3 = 0");
    run("DELETE FROM item WHERE price % 5 = 0");
    run("SELECT count(*), sum(price), sum(id) FROM item");
    run("PRAGMA integrity_check");
    check(sqlite3_close(db));
    bench_end(sum);
    return 0;
}
