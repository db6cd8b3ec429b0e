/* Calls libatomic.so.1 as V8 does; with an argument, with values of another size. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

bool compare_exchange(size_t size, void *object, void *expected, const void *desired, int success,
                      int failure) __asm__("__atomic_compare_exchange");

enum { THREADS = 4, INCREMENTS = 500000 };

struct pair {
  uint32_t low;
  uint32_t high;
};

static _Alignas(8) struct pair shared;

/* Both halves move together, so that a torn write would show. */
static void *increment(void *unused) {
  for (int done = 0; done < INCREMENTS;) {
    struct pair before = {0, 0};
    /* The first try mostly fails, and tells what is there. */
    if (compare_exchange(sizeof before, &shared, &before, &before, 4, 2)) continue;
    const struct pair after = {before.low + 1, before.high - 1};
    if (compare_exchange(sizeof before, &shared, &before, &after, 5, 5)) done++;
  }
  return unused;
}

int main(int count, char **arguments) {
  (void)arguments;
  if (count > 1) {
    uint32_t value = 0, wanted = 0;
    compare_exchange(sizeof value, &value, &wanted, &wanted, 5, 5);
    return 0;
  }
  shared.low = 1;
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, increment, NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);

  struct pair other = {7, 7};
  const struct pair next = {8, 8};
  const bool swapped = compare_exchange(sizeof other, &shared, &other, &next, 5, 5);
  printf("%u %u %d %u %u\n", shared.low, -shared.high, swapped, other.low, -other.high);
  return 0;
}
