// What every program here needs first, before any TypeScript is loaded.
const { node } = process.versions;
const [major, minor] = node.split('.').map(Number);
const since = { 20: 19, 21: Infinity, 22: 12 };
// Older ones cannot `require` ES modules, and would say that of some package, with a stack.
if (major < 20 || minor < since[major]) {
  console.error(
    `error [NodeTooOld]: this is Node.js ${node}; use 20.19 or newer, of 22 at least 22.12`,
  );
  process.exit(1);
}

// The AWS SDK would warn of Node.js 20 at every start; package.json says what is supported.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
