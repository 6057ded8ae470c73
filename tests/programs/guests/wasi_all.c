// Calls every function of wasi_snapshot_preview1 and checks what it does.
//
// Build:  python -m ziglang cc -target wasm32-wasi -O1 -o wasi_all.wasm wasi_all.c
// Run:    printf 'standard input\n' | RUNTIME run --dir EMPTY_DIR::/ --env WASI_ALL=yes wasi_all.wasm one 'two words'
//
// Descriptor 3 must be an empty directory that may be written. Prints "ok NAME" for each function and "done" in the
// end; on the first surprise it prints what it was and exits with status 1. The functions of sockets are checked on
// descriptors that are no sockets; with WASI_LISTENER=FD in the environment also on that listener, to which the host
// then connects, sends "ping" and expects "pong" and the end of the stream.
//
// With --peer as the first argument, answers are accepted that other runtimes are known to give where they implement
// less; each is shown as "gap NAME".

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef uint32_t fd_t;
typedef uint32_t errno_type;
typedef struct { void *buf; uint32_t len; } iovec_type;
typedef struct { uint8_t filetype; uint16_t flags; uint64_t rights, inheriting; } fdstat_type;
typedef struct { uint64_t dev, ino; uint8_t filetype; uint64_t nlink, size, atim, mtim, ctim; } filestat_type;
typedef struct { uint8_t tag; uint32_t name_len; } prestat_type;
typedef struct { uint64_t next, ino; uint32_t namlen; uint8_t type; } dirent_type;
typedef struct {
    uint64_t userdata;
    uint8_t tag;
    union {
        struct { uint32_t id; uint64_t timeout, precision; uint16_t flags; } clock;
        uint32_t fd;
    } u;
} subscription_type;
typedef struct { uint64_t userdata; uint16_t error; uint8_t type; uint64_t nbytes; uint16_t flags; } event_type;
_Static_assert(sizeof(fdstat_type) == 24, "fdstat");
_Static_assert(sizeof(filestat_type) == 64, "filestat");
_Static_assert(sizeof(prestat_type) == 8, "prestat");
_Static_assert(sizeof(dirent_type) == 24, "dirent");
_Static_assert(sizeof(subscription_type) == 48, "subscription");
_Static_assert(sizeof(event_type) == 32, "event");

#define WASI(name, ...) \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) errno_type w_##name(__VA_ARGS__)

WASI(args_get, char **, char *);
WASI(args_sizes_get, uint32_t *, uint32_t *);
WASI(environ_get, char **, char *);
WASI(environ_sizes_get, uint32_t *, uint32_t *);
WASI(clock_res_get, uint32_t, uint64_t *);
WASI(clock_time_get, uint32_t, uint64_t, uint64_t *);
WASI(fd_advise, fd_t, uint64_t, uint64_t, uint32_t);
WASI(fd_allocate, fd_t, uint64_t, uint64_t);
WASI(fd_close, fd_t);
WASI(fd_datasync, fd_t);
WASI(fd_fdstat_get, fd_t, fdstat_type *);
WASI(fd_fdstat_set_flags, fd_t, uint32_t);
WASI(fd_fdstat_set_rights, fd_t, uint64_t, uint64_t);
WASI(fd_filestat_get, fd_t, filestat_type *);
WASI(fd_filestat_set_size, fd_t, uint64_t);
WASI(fd_filestat_set_times, fd_t, uint64_t, uint64_t, uint32_t);
WASI(fd_pread, fd_t, const iovec_type *, uint32_t, uint64_t, uint32_t *);
WASI(fd_prestat_get, fd_t, prestat_type *);
WASI(fd_prestat_dir_name, fd_t, char *, uint32_t);
WASI(fd_pwrite, fd_t, const iovec_type *, uint32_t, uint64_t, uint32_t *);
WASI(fd_read, fd_t, const iovec_type *, uint32_t, uint32_t *);
WASI(fd_readdir, fd_t, void *, uint32_t, uint64_t, uint32_t *);
WASI(fd_renumber, fd_t, fd_t);
WASI(fd_seek, fd_t, int64_t, uint32_t, uint64_t *);
WASI(fd_sync, fd_t);
WASI(fd_tell, fd_t, uint64_t *);
WASI(fd_write, fd_t, const iovec_type *, uint32_t, uint32_t *);
WASI(path_create_directory, fd_t, const char *, uint32_t);
WASI(path_filestat_get, fd_t, uint32_t, const char *, uint32_t, filestat_type *);
WASI(path_filestat_set_times, fd_t, uint32_t, const char *, uint32_t, uint64_t, uint64_t, uint32_t);
WASI(path_link, fd_t, uint32_t, const char *, uint32_t, fd_t, const char *, uint32_t);
WASI(path_open, fd_t, uint32_t, const char *, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t, fd_t *);
WASI(path_readlink, fd_t, const char *, uint32_t, char *, uint32_t, uint32_t *);
WASI(path_remove_directory, fd_t, const char *, uint32_t);
WASI(path_rename, fd_t, const char *, uint32_t, fd_t, const char *, uint32_t);
WASI(path_symlink, const char *, uint32_t, fd_t, const char *, uint32_t);
WASI(path_unlink_file, fd_t, const char *, uint32_t);
WASI(poll_oneoff, const subscription_type *, event_type *, uint32_t, uint32_t *);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void w_proc_exit(uint32_t);
WASI(proc_raise, uint32_t);
WASI(sched_yield, void);
WASI(random_get, void *, uint32_t);
WASI(sock_accept, fd_t, uint32_t, fd_t *);
WASI(sock_recv, fd_t, const iovec_type *, uint32_t, uint32_t, uint32_t *, uint16_t *);
WASI(sock_send, fd_t, const iovec_type *, uint32_t, uint32_t, uint32_t *);
WASI(sock_shutdown, fd_t, uint32_t);

enum { OK = 0, AGAIN = 6, BAD_FD = 8, EXISTS = 20, INVALID = 28, IS_DIR = 31, LOOPS = 32, NAME_TOO_LONG = 37, NO_ENTRY = 44,
       NOT_DIR = 54, NOT_EMPTY = 55, NOT_SOCK = 57, NOT_SUP = 58, PERMISSION = 63, SEEK_PIPE = 70, NOT_CAPABLE = 76 };
enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { APPEND = 1, NONBLOCK = 4 };
enum { FOLLOW = 1 };
enum { ROOT = 3 };
#define READ (1ull << 1)
#define SEEK (1ull << 2)
#define TELL (1ull << 5)
#define WRITE (1ull << 6)
#define READDIR (1ull << 14)
#define ALL ((1ull << 30) - 1)
#define S(text) (text), (uint32_t)strlen(text)

static bool peer;
static const char *current;

static void begin(const char *name) {
    current = name;
}

static void end(void) {
    printf("ok %s\n", current);
    fflush(stdout);
}

static void fail(int line, const char *what, long long got, long long wanted) {
    printf("FAILED %s, line %d: %s is %lld, not %lld\n", current, line, what, got, wanted);
    exit(1);
}

#define IS(got, wanted) do { \
    long long got_ = (long long)(got), wanted_ = (long long)(wanted); \
    if (got_ != wanted_) fail(__LINE__, #got, got_, wanted_); } while (0)
#define TRUE(condition) IS((condition) ? 1 : 0, 1)

// The answer of the specification, or the one that a peer is known to give.
#define IS_OR(got, wanted, gap) do { \
    long long got_ = (long long)(got); \
    if (peer && got_ == (long long)(gap) && got_ != (long long)(wanted)) \
        printf("gap %s, line %d: %s is %lld, not %lld\n", current, __LINE__, #got, got_, (long long)(wanted)); \
    else if (got_ != (long long)(wanted)) fail(__LINE__, #got, got_, (long long)(wanted)); } while (0)

// A value that the specification does not have. A peer traps, which a guest cannot survive.
#define REFUSED(call) do { \
    if (peer) printf("gap %s, line %d: not tried: %s\n", current, __LINE__, #call); \
    else IS(call, INVALID); } while (0)

static fd_t open_at(fd_t dir, const char *path, uint32_t oflags, uint64_t rights, uint32_t fdflags) {
    fd_t fd = 0;
    IS(w_path_open(dir, FOLLOW, S(path), oflags, rights, ALL, fdflags, &fd), OK);
    TRUE(fd > ROOT);
    return fd;
}

static errno_type try_open(const char *path, uint32_t dirflags, uint32_t oflags, uint64_t rights) {
    fd_t fd = 0;
    errno_type result = w_path_open(ROOT, dirflags, S(path), oflags, rights, ALL, 0, &fd);
    if (result == OK) IS(w_fd_close(fd), OK);
    return result;
}

static uint32_t put(fd_t fd, const char *text) {
    iovec_type vec = { (void *)text, strlen(text) };
    uint32_t written = 0;
    IS(w_fd_write(fd, &vec, 1, &written), OK);
    return written;
}

static char got_text[256];

static const char *get(fd_t fd) {
    iovec_type vec = { got_text, sizeof got_text - 1 };
    uint32_t nread = 0;
    IS(w_fd_read(fd, &vec, 1, &nread), OK);
    got_text[nread] = 0;
    return got_text;
}

static void make(const char *path, const char *text) {
    fd_t fd = open_at(ROOT, path, CREAT | TRUNC, READ | WRITE | SEEK, 0);
    IS(put(fd, text), strlen(text));
    IS(w_fd_close(fd), OK);
}

static uint64_t now(uint32_t id) {
    uint64_t time = 0;
    IS(w_clock_time_get(id, 1, &time), OK);
    return time;
}

static void strings(int argc, char **argv) {
    uint32_t count, size;
    begin("args_sizes_get");
    IS(w_args_sizes_get(&count, &size), OK);
    IS(count, argc);
    end();
    begin("args_get");
    char **list = malloc(count * sizeof *list), *buffer = malloc(size);
    IS(w_args_get(list, buffer), OK);
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        IS(strcmp(list[i], argv[i]), 0);
        total += strlen(list[i]) + 1;
    }
    IS(total, size);
    IS(strcmp(argv[argc - 1], "two words"), 0);
    end();

    begin("environ_sizes_get");
    IS(w_environ_sizes_get(&count, &size), OK);
    TRUE(count >= 1);
    end();
    begin("environ_get");
    list = malloc(count * sizeof *list);
    buffer = malloc(size);
    IS(w_environ_get(list, buffer), OK);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) found |= strcmp(list[i], "WASI_ALL=yes") == 0;
    TRUE(found);
    IS(strcmp(getenv("WASI_ALL"), "yes"), 0);
    end();
}

static void clocks(void) {
    begin("clock_res_get");
    for (uint32_t id = 0; id < 4; id++) {
        uint64_t resolution = 0;
        errno_type result = w_clock_res_get(id, &resolution);
        if (id < 2) IS(result, OK); else IS_OR(result, OK, BAD_FD);
        if (result == OK) TRUE(resolution > 0 && resolution <= 1000000000);
    }
    uint64_t time;
    REFUSED(w_clock_res_get(99, &time));
    end();
    begin("clock_time_get");
    TRUE(now(0) > 1600000000ull * 1000000000);
    uint64_t before = now(1);
    for (int i = 0; i < 1000; i++) {
        uint64_t next = now(1);
        TRUE(next >= before);
        before = next;
    }
    for (uint32_t id = 2; id < 4; id++) IS_OR(w_clock_time_get(id, 1, &time), OK, BAD_FD);
    REFUSED(w_clock_time_get(4, 1, &time));
    end();
}

static void files(void) {
    fd_t fd;
    begin("path_open");
    IS(try_open("file", 0, 0, READ), NO_ENTRY);
    IS(try_open("", 0, 0, READ), NO_ENTRY);
    fd = open_at(ROOT, "file", CREAT | EXCL, ALL, 0);
    IS(try_open("file", 0, CREAT | EXCL, READ | WRITE), EXISTS);
    IS(try_open("file", 0, DIRECTORY, READ), NOT_DIR);
    IS(try_open(".", 0, DIRECTORY, READ | WRITE), IS_DIR);
    IS(try_open("../file", 0, 0, READ), PERMISSION);
    IS(try_open("/file", 0, 0, READ), PERMISSION);
    IS(try_open("..", 0, DIRECTORY, READ), PERMISSION);
    IS(try_open("file/", 0, 0, READ), NOT_DIR);
    IS(try_open(".", 0, 0, READ | WRITE), IS_DIR);
    end();

    uint32_t count = 0;
    uint64_t position = 0;
    begin("fd_write");
    iovec_type vecs[3] = { { "hello", 5 }, { "", 0 }, { " world", 6 } };
    // A peer writes the first buffer that is not empty, which is allowed.
    IS(w_fd_write(fd, vecs, 3, &count), OK);
    IS_OR(count, 11, 5);
    if (count == 5) IS(put(fd, " world"), 6);
    IS(w_fd_write(99, vecs, 1, &count), BAD_FD);
    IS(w_fd_write(ROOT, vecs, 1, &count), BAD_FD);
    end();
    begin("fd_tell");
    IS(w_fd_tell(fd, &position), OK);
    IS(position, 11);
    IS(w_fd_tell(ROOT, &position), BAD_FD);
    end();
    begin("fd_seek");
    IS(w_fd_seek(fd, -5, 1, &position), OK);
    IS(position, 6);
    IS(w_fd_seek(fd, -11, 2, &position), OK);
    IS(position, 0);
    IS(w_fd_seek(fd, 2, 0, &position), OK);
    IS(position, 2);
    IS(w_fd_seek(fd, -3, 1, &position), INVALID);
    IS(w_fd_seek(fd, -1, 0, &position), INVALID);
    end();
    begin("fd_read");
    char a[4] = "", b[100] = "";
    iovec_type in[2] = { { a, 3 }, { b, 99 } };
    IS(w_fd_read(fd, in, 2, &count), OK);
    IS_OR(count, 9, 3);
    IS(memcmp(a, "llo", 3), 0);
    if (count == 3) IS(strcmp(get(fd), " world"), 0); else IS(strcmp(b, " world"), 0);
    IS(strcmp(get(fd), ""), 0);
    end();
    begin("fd_pread");
    in[0].len = 3;
    IS(w_fd_pread(fd, in, 1, 6, &count), OK);
    IS(count, 3);
    IS(memcmp(a, "wor", 3), 0);
    IS(w_fd_pread(fd, in, 1, 100, &count), OK);
    IS(count, 0);
    end();
    begin("fd_pwrite");
    iovec_type out = { "J", 1 };
    IS(w_fd_pwrite(fd, &out, 1, 0, &count), OK);
    IS(count, 1);
    IS(w_fd_tell(fd, &position), OK);
    IS(position, 11);
    IS(w_fd_seek(fd, 0, 0, &position), OK);
    IS(strcmp(get(fd), "Jello world"), 0);
    end();

    filestat_type stat;
    begin("fd_filestat_get");
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS(stat.filetype, 4);
    IS(stat.size, 11);
    IS(stat.nlink, 1);
    TRUE(stat.mtim > 1600000000ull * 1000000000);
    IS(w_fd_filestat_get(ROOT, &stat), OK);
    IS(stat.filetype, 3);
    end();
    begin("fd_filestat_set_size");
    IS(w_fd_filestat_set_size(fd, 20), OK);
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS(stat.size, 20);
    IS(w_fd_filestat_set_size(fd, 5), OK);
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS(stat.size, 5);
    end();
    begin("fd_filestat_set_times");
    IS(w_fd_filestat_set_times(fd, 1000000000, 2000000000, 1 | 4), OK);
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS(stat.atim, 1000000000);
    IS(stat.mtim, 2000000000);
    IS(w_fd_filestat_set_times(fd, 0, 0, 8), OK);
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS(stat.atim, 1000000000);
    TRUE(stat.mtim > 1600000000ull * 1000000000);
    IS(w_fd_filestat_set_times(fd, 0, 0, 1 | 2), INVALID);
    end();
    begin("fd_allocate");
    IS_OR(w_fd_allocate(fd, 0, 100), OK, NOT_SUP);
    IS(w_fd_filestat_get(fd, &stat), OK);
    IS_OR(stat.size, 100, 5);
    end();
    begin("fd_advise");
    for (uint32_t advice = 0; advice < 6; advice++) IS(w_fd_advise(fd, 0, 10, advice), OK);
    REFUSED(w_fd_advise(fd, 0, 10, 6));
    IS(w_fd_advise(ROOT, 0, 10, 0), BAD_FD);
    end();
    begin("fd_datasync");
    IS(w_fd_datasync(fd), OK);
    end();
    begin("fd_sync");
    IS(w_fd_sync(fd), OK);
    end();

    fdstat_type fdstat;
    begin("fd_fdstat_get");
    IS(w_fd_fdstat_get(fd, &fdstat), OK);
    IS(fdstat.filetype, 4);
    IS(fdstat.flags, 0);
    IS(fdstat.rights & (READ | WRITE | SEEK | TELL), READ | WRITE | SEEK | TELL);
    IS(w_fd_fdstat_get(ROOT, &fdstat), OK);
    IS(fdstat.filetype, 3);
    IS(fdstat.rights & (SEEK | READ), 0);
    IS(fdstat.inheriting & (READ | WRITE | SEEK), READ | WRITE | SEEK);
    end();
    begin("fd_fdstat_set_flags");
    IS(w_fd_fdstat_set_flags(fd, APPEND | NONBLOCK), OK);
    IS(w_fd_fdstat_get(fd, &fdstat), OK);
    IS(fdstat.flags, APPEND | NONBLOCK);
    IS(w_fd_filestat_set_size(fd, 3), OK);
    IS(w_fd_seek(fd, 0, 0, &position), OK);
    IS(put(fd, "end"), 3);
    IS(w_fd_fdstat_set_flags(fd, 0), OK);
    IS(w_fd_seek(fd, 0, 0, &position), OK);
    IS(strcmp(get(fd), "Jelend"), 0);
    REFUSED(w_fd_fdstat_set_flags(fd, 32));
    end();
    begin("fd_fdstat_set_rights");
    IS_OR(w_fd_fdstat_set_rights(fd, READ, 0), OK, NOT_SUP);
    IS_OR(w_fd_write(fd, &out, 1, &count), NOT_CAPABLE, OK);
    IS_OR(w_fd_fdstat_set_rights(fd, READ | WRITE, 0), NOT_CAPABLE, NOT_SUP);
    IS(w_fd_fdstat_set_rights(99, 0, 0), BAD_FD);
    end();
    begin("fd_renumber");
    fd_t other = open_at(ROOT, "other", CREAT, READ | WRITE | SEEK | TELL, 0);
    put(other, "other");
    IS(w_fd_renumber(other, 99), BAD_FD);
    IS(w_fd_renumber(other, fd), OK);
    IS(w_fd_tell(other, &position), BAD_FD);
    IS(w_fd_tell(fd, &position), OK);
    IS(position, 5);
    end();
    begin("fd_close");
    IS(w_fd_close(fd), OK);
    IS(w_fd_close(fd), BAD_FD);
    IS(w_fd_close(12345), BAD_FD);
    end();
}

static void prestats(void) {
    prestat_type prestat;
    begin("fd_prestat_get");
    IS(w_fd_prestat_get(ROOT, &prestat), OK);
    IS(prestat.tag, 0);
    IS(w_fd_prestat_get(99, &prestat), BAD_FD);
    end();
    begin("fd_prestat_dir_name");
    char *name = malloc(prestat.name_len + 1);
    IS(w_fd_prestat_dir_name(ROOT, name, prestat.name_len), OK);
    name[prestat.name_len] = 0;
    IS(strcmp(name, "/"), 0);
    IS(w_fd_prestat_dir_name(ROOT, name, 0), NAME_TOO_LONG);
    end();
}

static void paths(void) {
    filestat_type stat, stat2;
    begin("path_create_directory");
    IS(w_path_create_directory(ROOT, S("dir")), OK);
    IS(w_path_create_directory(ROOT, S("dir")), EXISTS);
    IS(w_path_create_directory(ROOT, S("no/parent")), NO_ENTRY);
    IS(w_path_create_directory(ROOT, S("../out")), PERMISSION);
    end();
    begin("path_filestat_get");
    make("dir/file", "12345");
    IS(w_path_filestat_get(ROOT, 0, S("dir/file"), &stat), OK);
    IS(stat.filetype, 4);
    IS(stat.size, 5);
    IS(w_path_filestat_get(ROOT, 0, S("dir"), &stat2), OK);
    IS(stat2.filetype, 3);
    IS(w_path_filestat_get(ROOT, 0, S("nothing"), &stat2), NO_ENTRY);
    IS(w_path_filestat_get(ROOT, 0, S("dir/../.."), &stat2), PERMISSION);
    end();
    begin("path_symlink");
    IS(w_path_symlink(S("file"), ROOT, S("dir/link")), OK);
    IS(w_path_symlink(S("file"), ROOT, S("dir/link")), EXISTS);
    IS(w_path_symlink(S("/etc/passwd"), ROOT, S("absolute")), PERMISSION);
    IS(w_path_symlink(S("../.."), ROOT, S("dir/out")), OK);
    IS(try_open("dir/out", FOLLOW, DIRECTORY, READ), PERMISSION);
    IS(try_open("dir/out/secret", 0, CREAT, READ | WRITE), PERMISSION);
    IS(try_open("dir/link", 0, 0, READ), LOOPS);
    IS(try_open("dir/link", FOLLOW, 0, READ), OK);
    IS(w_path_filestat_get(ROOT, FOLLOW, S("dir/link"), &stat2), OK);
    IS(stat2.size, 5);
    IS(w_path_filestat_get(ROOT, 0, S("dir/link"), &stat2), OK);
    IS(stat2.filetype, 7);
    end();
    begin("path_readlink");
    char contents[10] = "";
    uint32_t used = 0;
    IS(w_path_readlink(ROOT, S("dir/link"), contents, 10, &used), OK);
    IS(used, 4);
    IS(memcmp(contents, "file", 4), 0);
    IS(w_path_readlink(ROOT, S("dir/link"), contents, 2, &used), OK);
    IS(used, 2);
    IS(w_path_readlink(ROOT, S("dir/file"), contents, 10, &used), INVALID);
    end();
    begin("path_link");
    IS(w_path_link(ROOT, 0, S("dir/file"), ROOT, S("hard")), OK);
    IS(w_path_filestat_get(ROOT, 0, S("hard"), &stat2), OK);
    IS(stat2.ino, stat.ino);
    IS(stat2.nlink, 2);
    IS(w_path_link(ROOT, 0, S("dir/file"), ROOT, S("hard")), EXISTS);
    IS(w_path_link(ROOT, 0, S("nothing"), ROOT, S("hard2")), NO_ENTRY);
    IS(w_path_link(ROOT, 0, S("../nothing"), ROOT, S("hard2")), PERMISSION);
    end();
    begin("path_filestat_set_times");
    IS(w_path_filestat_set_times(ROOT, 0, S("hard"), 3000000000, 4000000000, 1 | 4), OK);
    IS(w_path_filestat_get(ROOT, 0, S("dir/file"), &stat2), OK);
    IS(stat2.atim, 3000000000);
    IS(stat2.mtim, 4000000000);
    IS(w_path_filestat_set_times(ROOT, FOLLOW, S("dir/link"), 5000000000, 0, 1), OK);
    IS(w_path_filestat_get(ROOT, 0, S("dir/file"), &stat2), OK);
    IS(stat2.atim, 5000000000);
    IS(stat2.mtim, 4000000000);
    IS(w_path_filestat_set_times(ROOT, 0, S("nothing"), 0, 0, 1), NO_ENTRY);
    end();
    begin("path_rename");
    IS(w_path_rename(ROOT, S("hard"), ROOT, S("dir/renamed")), OK);
    IS(w_path_rename(ROOT, S("hard"), ROOT, S("dir/renamed")), NO_ENTRY);
    IS(w_path_rename(ROOT, S("dir"), ROOT, S("dir2")), OK);
    IS(w_path_rename(ROOT, S("dir2"), ROOT, S("dir")), OK);
    IS(w_path_rename(ROOT, S("dir"), ROOT, S("dir/inside")), INVALID);
    IS(w_path_rename(ROOT, S("dir"), ROOT, S("../dir")), PERMISSION);
    end();
    begin("path_unlink_file");
    IS(w_path_unlink_file(ROOT, S("dir/renamed")), OK);
    IS(w_path_unlink_file(ROOT, S("dir/renamed")), NO_ENTRY);
    IS(w_path_unlink_file(ROOT, S("dir")), IS_DIR);
    IS(w_path_unlink_file(ROOT, S("dir/link")), OK);
    IS(w_path_unlink_file(ROOT, S("dir/out")), OK);
    end();
    begin("path_remove_directory");
    IS(w_path_remove_directory(ROOT, S("dir")), NOT_EMPTY);
    IS(w_path_remove_directory(ROOT, S("dir/file")), NOT_DIR);
    IS(w_path_unlink_file(ROOT, S("dir/file")), OK);
    IS(w_path_remove_directory(ROOT, S("dir")), OK);
    IS(w_path_remove_directory(ROOT, S("dir")), NO_ENTRY);
    end();
}

// Names seen in one pass over a directory with a buffer of `len` bytes; "." and ".." only counted.
static uint32_t read_all(fd_t fd, uint32_t len, char seen[26]) {
    static char buffer[4096];
    uint64_t cookie = 0;
    uint32_t total = 0, used = 0;
    do {
        IS(w_fd_readdir(fd, buffer, len, cookie, &used), OK);
        uint32_t at = 0;
        while (at + sizeof(dirent_type) <= used) {
            dirent_type entry;
            memcpy(&entry, buffer + at, sizeof entry);
            if (at + sizeof entry + entry.namlen > used) break;
            const char *name = buffer + at + sizeof entry;
            if (name[0] == '.') {
                IS(entry.type, 3);
            } else {
                IS(entry.namlen, 1);
                IS(entry.type, name[0] == 'a' ? 3 : 4);
                seen[name[0] - 'a']++;
                filestat_type stat;
                IS(w_path_filestat_get(fd, 0, name, 1, &stat), OK);
                IS(stat.ino, entry.ino);
            }
            total++;
            cookie = entry.next;
            at += sizeof entry + entry.namlen;
        }
    } while (used == len);
    return total;
}

static void directories(void) {
    begin("fd_readdir");
    IS(w_path_create_directory(ROOT, S("list")), OK);
    fd_t fd = open_at(ROOT, "list", DIRECTORY, ALL & ~WRITE, 0);
    IS(w_path_create_directory(fd, S("a")), OK);
    for (char name[2] = "b"; name[0] <= 'z'; name[0]++)
        IS(w_fd_close(open_at(fd, name, CREAT, READ | WRITE, 0)), OK);
    const uint32_t sizes[] = { 64, 100, 1000, 4096 };
    for (int i = 0; i < 4; i++) {
        char seen[26] = "";
        IS(read_all(fd, sizes[i], seen), 28);
        for (int j = 0; j < 26; j++) IS(seen[j], 1);
    }
    uint32_t used = 0;
    char small[10];
    IS(w_fd_readdir(fd, small, 10, 0, &used), OK);
    IS(used, 10);
    IS(w_fd_readdir(fd, small, 10, 10000, &used), OK);
    IS(used, 0);
    IS(w_path_remove_directory(fd, S("a")), OK);
    for (char name[2] = "b"; name[0] <= 'z'; name[0]++) IS(w_path_unlink_file(fd, S(name)), OK);
    IS(w_fd_close(fd), OK);
    IS(w_path_remove_directory(ROOT, S("list")), OK);
    end();
}

static subscription_type on_clock(uint64_t userdata, uint32_t id, uint64_t timeout, uint16_t flags) {
    subscription_type sub = { .userdata = userdata, .tag = 0 };
    sub.u.clock.id = id;
    sub.u.clock.timeout = timeout;
    sub.u.clock.flags = flags;
    return sub;
}

static subscription_type on_fd(uint64_t userdata, uint8_t tag, fd_t fd) {
    subscription_type sub = { .userdata = userdata, .tag = tag };
    sub.u.fd = fd;
    return sub;
}

static void polling(void) {
    begin("poll_oneoff");
    event_type events[3];
    uint32_t count = 0;
    subscription_type subs[3] = { on_clock(1, 1, 10000000, 0) };
    uint64_t start = now(1);
    IS(w_poll_oneoff(subs, events, 1, &count), OK);
    IS(count, 1);
    IS(events[0].userdata, 1);
    IS(events[0].error, 0);
    IS(events[0].type, 0);
    TRUE(now(1) - start >= 10000000);
    for (uint32_t id = 0; id < 2; id++) {
        uint64_t until = now(id) + 10000000;
        subs[0] = on_clock(2, id, until, 1);
        IS(w_poll_oneoff(subs, events, 1, &count), OK);
        IS(count, 1);
        TRUE(now(id) + 1000000 >= until);
    }
    fd_t fd = open_at(ROOT, "polled", CREAT, ALL, 0);
    put(fd, "text");
    uint64_t position;
    IS(w_fd_seek(fd, 0, 0, &position), OK);
    subs[0] = on_clock(1, 1, 1ull << 50, 0);
    subs[1] = on_fd(2, 1, fd);
    subs[2] = on_fd(3, 2, 1);
    IS(w_poll_oneoff(subs, events, 3, &count), OK);
    TRUE(count >= 1 && count <= 2);
    for (uint32_t i = 0; i < count; i++) {
        IS(events[i].error, 0);
        IS(events[i].type, events[i].userdata == 2 ? 1 : 2);
    }
    IS(w_fd_close(fd), OK);
    IS(w_path_unlink_file(ROOT, S("polled")), OK);
    IS(w_poll_oneoff(subs, events, 0, &count), INVALID);
    // Standard input was given and is ready, whatever it is.
    subs[1] = on_fd(2, 1, 0);
    IS(w_poll_oneoff(subs, events, 2, &count), OK);
    IS(count, 1);
    IS(events[0].userdata, 2);
    IS(strcmp(get(0), "standard input\n"), 0);
    IS(w_poll_oneoff(subs, events, 2, &count), OK);
    IS(count, 1);
    IS(strcmp(get(0), ""), 0);
    IS_OR(w_fd_fdstat_set_flags(0, NONBLOCK), OK, BAD_FD);
    end();
}

static void process(void) {
    begin("sched_yield");
    IS(w_sched_yield(), OK);
    end();
    begin("random_get");
    uint8_t first[64] = { 0 }, second[64] = { 0 };
    IS(w_random_get(first, 64), OK);
    IS(w_random_get(second, 64), OK);
    TRUE(memcmp(first, second, 64) != 0);
    IS(w_random_get(first, 0), OK);
    end();
    begin("proc_raise");
    IS_OR(w_proc_raise(0), OK, NOT_SUP);
    end();
}

static void sockets(void) {
    char text[10] = "";
    iovec_type vec = { text, 4 };
    uint32_t count = 0;
    uint16_t flags = 0;
    fd_t fd = 0;
    const char *listener = getenv("WASI_LISTENER");
    fd_t listening = listener ? (fd_t)atoi(listener) : 0;

    begin("sock_accept");
    if (listener) {
        IS(w_sock_accept(listening, 0, &fd), OK);
        fdstat_type fdstat;
        IS(w_fd_fdstat_get(fd, &fdstat), OK);
        IS(fdstat.filetype, 6);
    }
    fd_t none = 0;
    IS(w_sock_accept(ROOT, 0, &none), NOT_SOCK);
    IS(w_sock_accept(99, 0, &none), BAD_FD);
    end();
    begin("sock_recv");
    if (listener) {
        IS(w_sock_recv(fd, &vec, 1, 1 | 2, &count, &flags), OK);
        IS(w_sock_recv(fd, &vec, 1, 0, &count, &flags), OK);
        IS(count, 4);
        IS(memcmp(text, "ping", 4), 0);
        IS(flags, 0);
    }
    IS(w_sock_recv(ROOT, &vec, 1, 0, &count, &flags), NOT_SOCK);
    end();
    begin("sock_send");
    if (listener) {
        memcpy(text, "pong", 4);
        IS(w_sock_send(fd, &vec, 1, 0, &count), OK);
        IS(count, 4);
    }
    IS(w_sock_send(ROOT, &vec, 1, 0, &count), NOT_SOCK);
    end();
    begin("sock_shutdown");
    if (listener) {
        IS(w_sock_shutdown(fd, 1 | 2), OK);
        IS(w_fd_close(fd), OK);
    }
    IS(w_sock_shutdown(ROOT, 1), NOT_SOCK);
    end();
}

// What the C library makes of it all.
static void library(void) {
    begin("the C library");
    IS(mkdir("/lib", 0777), 0);
    FILE *file = fopen("/lib/file", "w+");
    TRUE(file != NULL);
    IS(fprintf(file, "line %d\n", 1), 7);
    IS(fseek(file, 0, SEEK_SET), 0);
    char line[20] = "";
    TRUE(fgets(line, sizeof line, file) != NULL);
    IS(strcmp(line, "line 1\n"), 0);
    IS(fclose(file), 0);
    file = fopen("/lib/file", "a");
    IS(fputs("line 2\n", file) >= 0, 1);
    IS(fclose(file), 0);
    struct stat stats;
    IS(stat("/lib/file", &stats), 0);
    IS(stats.st_size, 14);
    TRUE(S_ISREG(stats.st_mode));
    IS(stat("/lib/nothing", &stats), -1);
    IS(errno, ENOENT);
    IS(symlink("file", "/lib/link"), 0);
    IS(lstat("/lib/link", &stats), 0);
    TRUE(S_ISLNK(stats.st_mode));
    IS(rename("/lib/link", "/lib/moved"), 0);
    DIR *dir = opendir("/lib");
    TRUE(dir != NULL);
    int entries = 0;
    for (struct dirent *entry; (entry = readdir(dir));) entries++;
    IS(entries, 4);
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));) entries++;
    IS(entries, 8);
    IS(closedir(dir), 0);
    IS(access("/lib/file", R_OK | W_OK), 0);
    IS(truncate("/lib/file", 3), 0);
    IS(unlink("/lib/file"), 0);
    IS(unlink("/lib/moved"), 0);
    IS(rmdir("/lib"), 0);
    IS(isatty(99), 0);
    struct timespec rest = { 0, 1000000 };
    IS(nanosleep(&rest, NULL), 0);
    IS(chdir("/nothing"), -1);
    fprintf(stderr, "to standard error\n");
    end();
}

int main(int argc, char **argv) {
    peer = argc > 1 && strcmp(argv[1], "--peer") == 0;
    strings(argc, argv);
    clocks();
    prestats();
    files();
    paths();
    directories();
    polling();
    process();
    sockets();
    library();
    IS(w_path_unlink_file(ROOT, S("file")), OK);
    IS(w_path_unlink_file(ROOT, S("other")), OK);
    begin("proc_exit");
    end();
    printf("done\n");
    fflush(stdout);
    w_proc_exit(0);
}
