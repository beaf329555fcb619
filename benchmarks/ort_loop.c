/* A bare loop around ONNX Runtime's C API: no Python, buffers made once, two readings of the clock a run.
 *
 * cc -O2 ort_loop.c -o ort_loop -ldl
 * ./ort_loop LIBONNXRUNTIME.SO MODEL INPUT OUTPUT PIXELS SIZE CLASSES OUTPUT_TYPE WARM_S SECONDS  > ms, one a line
 *
 * The model takes uint8 [1, SIZE, SIZE, 3], which PIXELS holds, and gives [1, CLASSES] of an element type
 * (1: float32, 3: int8). The API is a table of functions that only grows at its end; the places of those used here are
 * those of onnxruntime_c_api.h (struct OrtApi).
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MESSAGE = 2, ENVIRONMENT = 3, SESSION = 7, RUN = 9, OPTIONS = 10, INTRA = 24, INTER = 25, TENSOR = 49, MEMORY = 69 };
enum { UINT8 = 2, WARNING = 2, ARENA = 1, API_VERSION = 10, MOST = 1000000 };

typedef struct { const void *const *(*api)(uint32_t); const char *(*version)(void); } Base;
typedef void *(*Function)();

static const void *const *api;

static void check(void *status) {
    if (!status) return;
    fprintf(stderr, "ort_loop: %s\n", ((const char *(*)(void *))api[MESSAGE])(status));
    exit(1);
}

static double now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec + moment.tv_nsec * 1e-9;
}

int main(int count, char **words) {
    if (count != 11) return fprintf(stderr, "ort_loop: ten arguments\n"), 2;
    void *library = dlopen(words[1], RTLD_NOW);
    if (!library) return fprintf(stderr, "ort_loop: %s\n", dlerror()), 1;
    const Base *(*base)(void) = (const Base *(*)(void))dlsym(library, "OrtGetApiBase");
    api = base()->api(API_VERSION);

    void *environment, *options, *session, *memory, *tensors[2];
    check(((Function)api[ENVIRONMENT])(WARNING, "loop", &environment));
    check(((Function)api[OPTIONS])(&options));
    check(((Function)api[INTRA])(options, 1));
    check(((Function)api[INTER])(options, 1));
    check(((Function)api[SESSION])(environment, words[2], options, &session));
    check(((Function)api[MEMORY])(ARENA, 0, &memory));

    int64_t size = atol(words[6]), classes = atol(words[7]);
    int64_t shape[] = {1, size, size, 3}, answer[] = {1, classes};
    int type = atoi(words[8]);
    size_t bytes = size * size * 3, out = classes * (type == 1 ? 4 : 1);
    uint8_t *pixels = malloc(bytes);
    FILE *file = fopen(words[5], "rb");
    if (!file || fread(pixels, 1, bytes, file) != bytes) return fprintf(stderr, "ort_loop: no pixels\n"), 1;
    check(((Function)api[TENSOR])(memory, pixels, bytes, shape, (size_t)4, UINT8, &tensors[0]));
    check(((Function)api[TENSOR])(memory, malloc(out), out, answer, (size_t)2, type, &tensors[1]));

    const char *input = words[3], *output = words[4];
    double *times = malloc(MOST * sizeof *times), begin = now(), warm = begin + atof(words[9]);
    double end = warm + atof(words[10]);
    long runs = 0;
    for (double last = begin; last < end && runs < MOST;) {
        double start = now();
        check(((Function)api[RUN])(session, NULL, &input, &tensors[0], (size_t)1, &output, (size_t)1, &tensors[1]));
        last = now();
        if (start >= warm) times[runs++] = last - start;
    }
    for (long run = 0; run < runs; run++) printf("%.6f\n", times[run] * 1e3);
    return 0;
}
