/* Runs a JavaScript file: `quickjs_run FILE`; the script has `print`. An exception goes to stderr and gives status 1. */
#include "read_file.h"
#include "quickjs.h"

static JSValue print(JSContext *context, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    for (int i = 0; i < argc; i++) {
        const char *text = JS_ToCString(context, argv[i]);
        if (!text) return JS_EXCEPTION;
        printf("%s%s", i ? " " : "", text);
        JS_FreeCString(context, text);
    }
    printf("\n");
    return JS_UNDEFINED;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    size_t len;
    char *text = read_file(argv[1], &len);
    JSRuntime *runtime = JS_NewRuntime();
    if (!runtime) return 1;
    /* The engine would measure the wrong one of Wasm's two stacks. */
    JS_SetMaxStackSize(runtime, 0);
    JSContext *context = JS_NewContext(runtime);
    if (!context) return 1;
    JSValue global = JS_GetGlobalObject(context);
    JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, print, "print", 1));
    JS_FreeValue(context, global);
    int status = 0;
    JSValue result = JS_Eval(context, text, len, argv[1], JS_EVAL_TYPE_GLOBAL);
    /* Promises that the script left behind. */
    JSContext *other;
    while (!JS_IsException(result) && JS_ExecutePendingJob(runtime, &other) > 0) {}
    if (JS_IsException(result)) {
        JSValue exception = JS_GetException(context);
        const char *message = JS_ToCString(context, exception);
        fprintf(stderr, "%s\n", message ? message : "exception");
        JS_FreeCString(context, message);
        JS_FreeValue(context, exception);
        status = 1;
    }
    JS_FreeValue(context, result);
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    free(text);
    return status;
}
