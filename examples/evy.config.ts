/** Options in a file; relative paths are relative to it. `evy --config examples/evy.config.ts` */
import type { OptionsInput } from 'evy';

export default {
  app: 'hello.ts',
  middleware: ['middleware.ts'],
  workers: 2,
  grace: '10s',
  maxBody: '1MiB',
} satisfies OptionsInput;
