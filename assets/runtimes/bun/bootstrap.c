#include "../../bootstrap/bootstrap.h"

int main(int count, char **arguments) {
  (void)count;
  begin(arguments);
  /* Nothing may be written beside /tmp, and a cache there would never be read again. */
  set_default("BUN_RUNTIME_TRANSPILER_CACHE_PATH", "0");
  set("DO_NOT_TRACK", "1");

  /* Where a layer brings modules along, as for Lambda's own Node.js runtimes. */
  const char *modules = text("%s/nodejs/node_modules", layer);
  if (is_folder(modules)) put_first("NODE_PATH", modules);

  argument("run");
  /* A module that is missing is an error, not a download. */
  argument("--no-install");
  argument(text("%s/runtime.mjs", layer));
  return launch("bun");
}
