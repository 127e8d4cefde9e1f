import { needProgram } from '../../helpers/proxy-program.ts';
import { application } from './serving.ts';
import { rollingStops, stoppingInterfaces } from './stopping.ts';

for (const proxy of ['haproxy', 'nginx'] as const)
  describe(`six stops and starts of three instances in turn, behind ${proxy}`, function () {
    let path = '';
    before(function () {
      path = needProgram(this, proxy);
    });

    for (const [kind, suffix] of Object.entries(stoppingInterfaces))
      it(`lose no request: ${kind}`, async () => {
        const app = application(`echoes-load-id${suffix}`);
        const answers = await rollingStops({ proxy, path, app, instances: 3, turns: [0, 1, 2, 0, 1, 2] });
        console.log(`      ${kind} behind ${proxy}, 6 stops and starts: ${answers} answers, 0 lost`);
      });
  });
