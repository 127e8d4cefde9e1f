/** A configuration file: `evy --config examples/evy.config.ts`. Relative paths are relative to this file. */
import type { OptionsInput } from 'evy';

export default {
  app: 'hello.ts',
  middleware: ['middleware.ts'],
  workers: 2,
  grace: '10s',
  maxBody: '1MiB',
} satisfies OptionsInput;
