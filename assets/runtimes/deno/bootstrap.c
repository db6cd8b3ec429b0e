#include "../../bootstrap/bootstrap.h"

#include <stddef.h>

/* A function's own configuration counts: its import map, its node_modules, its vendored modules. */
static const char *configuration(void) {
  const char *const names[] = {"deno.json", "deno.jsonc"};
  for (int i = 0; i < 2; i++) {
    const char *file = text("%s/%s", variable("LAMBDA_TASK_ROOT"), names[i]);
    if (is_file(file)) return file;
  }
  return NULL;
}

int main(int count, char **arguments) {
  (void)count;
  begin(arguments);
  /* Deno's error messages go to the Runtime API and to logs, where colour codes are noise. */
  set_default("NO_COLOR", "1");
  /* /tmp is the only place that a function may write to; one that brings a cache along names it. */
  set_default("DENO_DIR", "/tmp/.deno");
  set("DENO_NO_UPDATE_CHECK", "1");

  argument("run");
  argument("-A");
  argument("--no-lock");
  const char *config = configuration();
  /* Without one, packages that the function brings along are found. None is ever downloaded. */
  const bool packages = is_folder(text("%s/node_modules", variable("LAMBDA_TASK_ROOT")));
  argument(config ? "--config" : "--no-config");
  argument(config ? config : packages ? "--node-modules-dir=manual" : "--no-npm");

  const char *given = variable("DENO_V8_FLAGS");
  const char *nursery = semi_space(given, 16), *heap = old_space(given);
  if (nursery && heap) argument(text("--v8-flags=%s,%s", nursery, heap));
  else if (nursery || heap) argument(text("--v8-flags=%s", nursery ? nursery : heap));

  argument("--cached-only");
  argument("--quiet");
  argument("--no-code-cache");
  argument(text("%s/runtime.mjs", layer));
  return launch("deno");
}
