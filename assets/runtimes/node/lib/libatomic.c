/*
 * The one function of libatomic that Node.js 25 and later import: clang calls it in V8's tables of
 * WebAssembly code, for pairs of 32-bit numbers that lie at multiples of eight bytes. Lambda's
 * provided.al2023 has no libatomic, and that of GCC would put its licence on the layer.
 *
 * libatomic.map gives the function its version, assets/bootstrap/build makes the libraries.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 of the sources. */
static const char sources[] __attribute__((used, retain)) = SOURCES;

/* Compilers keep the real name for themselves. */
bool compare_exchange(size_t size, void *object, void *expected, const void *desired, int success,
                      int failure) __asm__("__atomic_compare_exchange");

/*
 * Any order that a caller may ask for is met by the strongest one.
 *
 * See https://gcc.gnu.org/wiki/Atomic/GCCMM/LIbrary
 */
bool compare_exchange(size_t size, void *object, void *expected, const void *desired, int success,
                      int failure) {
  (void)success;
  (void)failure;
  /* Other sizes need locks, which every function of the library would have to take. */
  if (size != sizeof(uint64_t) || (uintptr_t)object % sizeof(uint64_t) != 0) __builtin_trap();
  uint64_t before, after;
  __builtin_memcpy(&before, expected, sizeof before);
  __builtin_memcpy(&after, desired, sizeof after);
  if (__atomic_compare_exchange_n((uint64_t *)object, &before, after, false, __ATOMIC_SEQ_CST,
                                  __ATOMIC_SEQ_CST)) {
    return true;
  }
  __builtin_memcpy(expected, &before, sizeof before);
  return false;
}
