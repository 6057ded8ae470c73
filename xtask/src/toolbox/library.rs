//! The C libraries that benchmarks and tests build programs on: which crate holds each, and how it
//! is compiled. What is done with them is in the drivers.

use super::guest::Library;

/// SQLite's amalgamation.
pub const SQLITE: Library = Library {
    driver: "",
    package: "libsqlite3-sys",
    archive: None,
    files: &["sqlite3/sqlite3.c"],
    except: &[],
    include: &["sqlite3"],
    flags: &[
        "-DSQLITE_THREADSAFE=0",
        "-DSQLITE_OMIT_LOAD_EXTENSION",
        "-DSQLITE_OMIT_WAL",
        "-DSQLITE_DEFAULT_MEMSTATUS=0",
        "-DSQLITE_TEMP_STORE=3",
    ],
    wasm_flags: &["-D_WASI_EMULATED_GETPID", "-lwasi-emulated-getpid"],
    script: None,
    generated: &[],
};

/// Lua 5.4 without `setjmp`, which on WASI needs the exception-handling proposal: an error ends the
/// program. The seed of its string hash is fixed so that runs are alike.
pub const LUA: Library = Library {
    driver: "",
    package: "lua-src",
    archive: None,
    files: &["lua-5.4.9"],
    except: &[
        "/lua.c",
        "/luac.c",
        "/loadlib.c",
        "/liolib.c",
        "/loslib.c",
        "/linit.c",
    ],
    include: &["lua-5.4.9"],
    flags: &[
        "-DLUAI_THROW(L,c)=__builtin_trap()",
        "-DLUAI_TRY(L,c,a)={a}",
        "-Dluai_jmpbuf=int",
        "-Dl_signalT=int",
        "-Dluai_makeseed(L)=42u",
    ],
    wasm_flags: &[],
    script: None,
    generated: &[(
        "setjmp.h",
        "/* Only the type: the flags replace every use of setjmp and longjmp. */\n#pragma once\ntypedef int jmp_buf[1];\n",
    )],
};

/// QuickJS-ng, the engine without its own command and operating-system library.
pub const QUICKJS: Library = Library {
    driver: "",
    package: "rquickjs-sys",
    archive: None,
    files: &[
        "quickjs/quickjs.c",
        "quickjs/libregexp.c",
        "quickjs/libunicode.c",
        "quickjs/dtoa.c",
    ],
    except: &[],
    include: &["quickjs"],
    flags: &["-D_GNU_SOURCE", "-DNDEBUG"],
    wasm_flags: &[],
    script: None,
    generated: &[],
};

/// zstd's compressor and decompressor, without its assembly.
pub const ZSTD: Library = Library {
    driver: "",
    package: "zstd-sys",
    archive: None,
    files: &[
        "zstd/lib/common",
        "zstd/lib/compress",
        "zstd/lib/decompress",
    ],
    except: &[],
    include: &["zstd/lib"],
    flags: &["-DZSTD_DISABLE_ASM"],
    wasm_flags: &[],
    script: None,
    generated: &[],
};

/// bzip2's library.
pub const BZIP2: Library = Library {
    driver: "",
    package: "bzip2-sys",
    archive: None,
    files: &["bzip2-1.0.8"],
    except: &[
        "/bzip2.c",
        "/bzip2recover.c",
        "/dlltest.c",
        "/mk251.c",
        "/spewG.c",
        "/unzcrash.c",
    ],
    include: &["bzip2-1.0.8"],
    flags: &["-DBZ_NO_STDIO"],
    wasm_flags: &[],
    script: None,
    generated: &[],
};

/// lz4's block formats.
pub const LZ4: Library = Library {
    driver: "",
    package: "lz4-sys",
    archive: None,
    files: &["liblz4/lib/lz4.c", "liblz4/lib/lz4hc.c"],
    except: &[],
    include: &["liblz4/lib"],
    flags: &[],
    wasm_flags: &[],
    script: None,
    generated: &[],
};

/// libsodium in portable C, as it is built for targets whose vector units it does not know.
pub const SODIUM: Library = Library {
    driver: "",
    package: "libsodium-sys-stable",
    archive: Some("LATEST.tar.gz"),
    files: &["src/libsodium/**"],
    except: &[],
    include: &["src/libsodium/include", "src/libsodium/include/sodium"],
    flags: &[
        "-DCONFIGURED=1",
        "-DSODIUM_STATIC",
        "-DHAVE_GETENTROPY=1",
        "-DNATIVE_LITTLE_ENDIAN=1",
        "-DDEV_MODE=1",
    ],
    wasm_flags: &[],
    script: None,
    generated: &[
        // Both spellings of the header that libsodium's own configure script would write.
        ("sodium/version.h", "#include \"../version.h\"\n"),
        (
            "version.h",
            "#pragma once\n#include \"export.h\"\n#define SODIUM_VERSION_STRING \"stable\"\n#define SODIUM_LIBRARY_VERSION_MAJOR 26\n\
         #define SODIUM_LIBRARY_VERSION_MINOR 2\n\
         SODIUM_EXPORT const char *sodium_version_string(void);\nSODIUM_EXPORT int sodium_library_version_major(void);\n\
         SODIUM_EXPORT int sodium_library_version_minor(void);\nSODIUM_EXPORT int sodium_library_minimal(void);\n",
        ),
    ],
};
