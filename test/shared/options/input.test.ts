import { expect } from 'chai';
import { join } from 'node:path';
import { resolveInput, resolveServerInput, serverSettings } from '../../../src/shared/options/input.ts';

describe('option input', () => {
  it('takes what a program writes', () => {
    const options = resolveInput({ app: 'app.ts', workers: 2, grace: '10s', bind: '127.0.0.1:0', keepalive: false });
    expect(options.app).to.equal(join(process.cwd(), 'app.ts'));
    expect(options.workers).to.deep.equal({ least: 2, most: 2 });
    expect(options).to.include({ graceMs: 10_000, keepaliveMs: 0 });
    expect(options.bind).to.deep.equal(['127.0.0.1:0']);
  });

  it('takes undefined as not given', () => {
    expect(resolveInput({ port: undefined }).port).to.equal(8080);
  });

  it('refuses unknown names and says which was meant', () => {
    const call = (input: object) => () => resolveInput(input);
    expect(call({ wrokers: 2 }))
      .to.throw('option wrokers is not an option; did you mean workers?')
      .with.property('code', 'BAD_OPTION');
    expect(call({ graceMs: 2 })).to.throw('did you mean grace?');
    expect(call({ toString: 1 })).to.throw('option toString is not an option');
    expect(call({ colour: 'red' })).to.throw(/is not an option$/);
  });

  it('gives the one-process server its own options alone', () => {
    const settings = resolveServerInput({ maxHead: '1KiB' });
    expect(settings.maxHeadBytes).to.equal(1024);
    expect(settings).not.to.have.property('workers');
    expect(() => resolveServerInput({ workers: 2 } as object)).to.throw('option workers is not an option');
  });

  it('picks what goes to the workers', () => {
    const settings = serverSettings(resolveInput({ app: 'app.ts', debug: true }));
    expect(settings.debug).to.equal(true);
    expect(settings).not.to.have.any.keys('app', 'graceMs', 'workers');
  });
});
