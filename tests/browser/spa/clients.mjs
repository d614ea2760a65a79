// What the page is bundled with; tests/conformance/lib/proxy.mjs reads this.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const folder = (name) => dirname(require.resolve(`${name}/package.json`));

export default {
  // The views are the conformance suite's, which has another React.
  v3: { entry: join(here, 'v3.jsx'), alias: { react: folder('react'), 'react-dom': folder('react-dom') } },
  grpc: { entry: join(here, 'grpc.mjs') },
};
