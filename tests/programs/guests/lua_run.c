/* Runs a Lua script: `lua_run FILE ARGS…`; the arguments are the script's `...`. */
#include "read_file.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    size_t len;
    char *text = read_file(argv[1], &len);
    lua_State *L = luaL_newstate();
    if (!L) return 1;
    static const luaL_Reg LIBRARIES[] = {{"_G", luaopen_base}, {"table", luaopen_table}, {"string", luaopen_string},
                                         {"math", luaopen_math}, {"utf8", luaopen_utf8}};
    for (size_t i = 0; i < sizeof LIBRARIES / sizeof LIBRARIES[0]; i++) {
        luaL_requiref(L, LIBRARIES[i].name, LIBRARIES[i].func, 1);
        lua_pop(L, 1);
    }
    if (luaL_loadbufferx(L, text, len, argv[1], "t") != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        return 1;
    }
    for (int i = 2; i < argc; i++) lua_pushstring(L, argv[i]);
    lua_call(L, argc - 2, 0);
    lua_close(L);
    free(text);
    return 0;
}
