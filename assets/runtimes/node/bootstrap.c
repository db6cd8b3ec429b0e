#include "../../bootstrap/bootstrap.h"

#include <string.h>

/* The build writes the layer's version into it. */
static volatile const char node_version[32] = "{version}";

static int major(void) {
  int number = 0;
  for (const volatile char *digit = node_version; *digit >= '0' && *digit <= '9'; digit++) {
    number = 10 * number + (*digit - '0');
  }
  return number;
}

/* Where a layer brings modules along, as for Lambda's own Node.js runtimes. */
static void find_modules(const char *folder) {
  if (is_folder(folder)) put_first("NODE_PATH", folder);
}

int main(int count, char **arguments) {
  (void)count;
  begin(arguments);
  find_modules(text("%s/nodejs/node_modules", layer));
  find_modules(text("%s/nodejs/node%d/node_modules", layer, major()));
  /* Under Lambda's own runtimes `require` finds a function's files from its folder, too. */
  const char *function = variable("LAMBDA_TASK_ROOT");
  if (*function) put_last("NODE_PATH", function);

  /* What Node.js needs and Lambda's base lacks. Last: another layer may have a library that does more. */
  const char *libraries = text("%s/lib/node", layer);
  if (is_folder(libraries)) put_last("LD_LIBRARY_PATH", libraries);

  const char *options = variable("NODE_OPTIONS");
  argument(semi_space(options, 8));
  argument(old_space(options));
  /* As under Lambda's own runtimes: services answer functions with more than Node.js's 16 KiB. */
  if (!strstr(options, "--max-http-header-size")) argument("--max-http-header-size=81920");
  argument(text("%s/runtime.cjs", layer));
  return launch("node");
}
