import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { text } from '../../helpers/response-reader.ts';
import { ask, serve } from './serving.ts';

async function onApplication(source: string, ...options: string[]) {
  const cwd = await tempFolder({ 'app.mjs': `export default ${source};` });
  return serve(['app.mjs', '--port', '0', '--workers', '1', ...options], { cwd });
}

describe('what an application is taken for', () => {
  it('is said by the names of its parameters', async () => {
    for (const [source, taken] of [
      ["(req, res) => res.end('x')", 'node'],
      ["(environ, start) => { start('200 OK', []); return ['x']; }", 'wsgi'],
    ] as const) {
      const evy = await onApplication(source);
      expect(text(await ask(evy))).to.equal('x');
      const [line] = evy.seen('master.ready');
      expect([line!.interface, line!.interfaceGuessed]).to.deep.equal([taken, undefined]);
    }
  });

  it('is (req, res) when they say nothing, and the log tells how to change it', async () => {
    const evy = await onApplication("(e, t) => t.end('x')");
    expect(text(await ask(evy))).to.equal('x');
    const [line] = evy.seen('master.ready');
    expect(line!.interface).to.equal('node');
    expect(line!.interfaceGuessed).to.contain('--interface wsgi');
  });

  it('is told by the line of the failure when it was the wrong one', async () => {
    const wsgi = "(e, t) => { t('200 OK', []); return ['x']; }";
    const node = "(e, t) => t.end('x')";
    for (const [source, flag, right] of [
      [wsgi, 'auto', '--interface wsgi'],
      [node, 'wsgi', '--interface node'],
    ] as const) {
      const evy = await onApplication(source, '--interface', flag);
      expect((await ask(evy)).status).to.equal(500);
      expect((await evy.until('app.failed')).hint).to.contain(right);
    }
  });
});
