/* QuickJS runs a script that is compiled into this program; the script's `size` is the first argument and the value of
   its last expression, a string, is the checksum. */
#include "bench.h"
#include "quickjs.h"

/* The build makes script.h from the script; its text ends in a NUL, which JS_Eval asks for. */
#include "script.h"

int main(int argc, char **argv) {
    uint32_t size = bench_size(argc, argv);
    bench_begin();
    JSRuntime *runtime = JS_NewRuntime();
    if (!runtime) return 1;
    /* Wasm has two stacks and only one of them is visible here, so the limit is off; the scripts do not recurse deeply. */
    JS_SetMaxStackSize(runtime, 0);
    JSContext *context = JS_NewContext(runtime);
    if (!context) return 1;
    JSValue global = JS_GetGlobalObject(context);
    JS_SetPropertyStr(context, global, "size", JS_NewInt32(context, (int32_t)size));
    JS_FreeValue(context, global);
    JSValue result = JS_Eval(context, (const char *)bench_script, sizeof bench_script - 1, "script", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(result)) result = JS_GetException(context);
    size_t len;
    const char *text = JS_ToCStringLen(context, &len, result);
    if (!text || strncmp(text, "ok ", 3) != 0) {
        fprintf(stderr, "quickjs: %s\n", text ? text : "no result");
        return 1;
    }
    uint64_t sum = bench_mix_bytes(0, text, len);
    JS_FreeCString(context, text);
    JS_FreeValue(context, result);
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    bench_end(sum);
    return 0;
}
