import { application } from './serving.ts';
import { stoppingInterfaces, stopsUnderLoad } from './stopping.ts';

describe('ten graceful stops, with 16 keep-alive and 16 reconnecting clients', () => {
  for (const [kind, suffix] of Object.entries(stoppingInterfaces))
    it(`lose no request: ${kind}`, async () => {
      const app = application(`echoes-load-id${suffix}`);
      const { answers } = await stopsUnderLoad({ app, bind: ['--port', '0'], times: 10 });
      console.log(`      ${kind}, 10 stops: ${answers} answers, 0 lost`);
    });
});
