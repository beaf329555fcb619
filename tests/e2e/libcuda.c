/* A double of the NVIDIA driver for tests: the GPU's memory is the heap, its stream is at once. */
#include <stdlib.h>
#include <string.h>

int cuInit(unsigned flags) { return flags ? 1 : 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = malloc(1); return device; }
int cuCtxSetCurrent(void *context) { return context ? 0 : 201; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = malloc(1); return flags == 1 ? 0 : 1; }
int cuStreamSynchronize(void *stream) { return stream ? 0 : 400; }
int cuDriverGetVersion(int *version) { *version = 12060; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "Double GPU", size); return device; }
int cuDeviceGetAttribute(int *value, int which, int device) {
  *value = which == 75 ? 8 : which == 76 ? 7 : -1;
  return device;
}
int cuMemGetInfo_v2(size_t *free_, size_t *total) {
  const char *mb = getenv("DOUBLE_FREE_MB");
  *free_ = (size_t)(mb ? atol(mb) : 4000) * 1000000;
  *total = (size_t)8000000000;
  return 0;
}
int cuMemAlloc_v2(unsigned long long *address, size_t size) {
  *address = (unsigned long long)(size_t)malloc(size);
  return *address ? 0 : 2;
}
int cuMemHostAlloc(void **address, size_t size, unsigned flags) {
  *address = malloc(size);
  return flags ? 1 : *address ? 0 : 2;
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t size, void *stream) {
  memcpy((void *)(size_t)to, from, size);
  return cuStreamSynchronize(stream);
}
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t size, void *stream) {
  memcpy(to, (void *)(size_t)from, size);
  return cuStreamSynchronize(stream);
}
int cuGetErrorString(int code, const char **text) { *text = "a double's error"; return code < 0; }
