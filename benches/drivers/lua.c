/* Lua runs a script that is compiled into this program; the script's `size` is the first argument and what it returns,
   a string, is the checksum. Built without setjmp: an error ends the program. */
#include "bench.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

/* The build makes script.h from the script. */
#include "script.h"

int main(int argc, char **argv) {
    uint32_t size = bench_size(argc, argv);
    bench_begin();
    lua_State *L = luaL_newstate();
    if (!L) return 1;
    static const luaL_Reg LIBRARIES[] = {{"_G", luaopen_base}, {"table", luaopen_table}, {"string", luaopen_string}, {"math", luaopen_math}};
    for (size_t i = 0; i < sizeof LIBRARIES / sizeof LIBRARIES[0]; i++) {
        luaL_requiref(L, LIBRARIES[i].name, LIBRARIES[i].func, 1);
        lua_pop(L, 1);
    }
    lua_pushinteger(L, size);
    lua_setglobal(L, "size");
    if (luaL_loadbufferx(L, (const char *)bench_script, sizeof bench_script - 1, "script", "t") != LUA_OK) {
        fprintf(stderr, "lua: %s\n", lua_tostring(L, -1));
        return 1;
    }
    lua_call(L, 0, 1);
    size_t len;
    const char *result = lua_tolstring(L, -1, &len);
    if (!result) return 1;
    uint64_t sum = bench_mix_bytes(0, result, len);
    lua_close(L);
    bench_end(sum);
    return 0;
}
