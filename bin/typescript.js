// What every program here needs before it can load TypeScript.
// The AWS SDK would warn of Node.js 20 at every start; package.json says what is supported.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
// ts-node would leave a code cache in the temporary folder, and is no faster for it.
process.env.DISABLE_V8_COMPILE_CACHE ??= '1';
require('ts-node').register({ dir: __dirname });
