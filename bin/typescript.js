// What every program here needs before it can load TypeScript.
require('./environment');
// ts-node would leave a code cache in the temporary folder, and is no faster for it.
process.env.DISABLE_V8_COMPILE_CACHE ??= '1';
require('ts-node').register({ dir: __dirname });
