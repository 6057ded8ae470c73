/* Reads a whole file, for the programs here that run scripts. */
#include <stdio.h>
#include <stdlib.h>

/* The contents with a NUL after them; ends the program with status 1 when the file cannot be read. */
static char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(1);
    }
    size_t capacity = 4096;
    char *text = malloc(capacity);
    *len = 0;
    for (size_t n; text && (n = fread(text + *len, 1, capacity - *len - 1, file)) > 0;) {
        *len += n;
        if (*len + 1 == capacity) text = realloc(text, capacity *= 2);
    }
    if (!text) exit(1);
    text[*len] = 0;
    fclose(file);
    return text;
}
