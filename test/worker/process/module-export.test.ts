import { expect } from 'chai';
import { pickExport, unwrapDefault } from '../../../src/worker/process/load-application.ts';

describe('module export', () => {
  const app = (): string[] => [];
  const isFunction = (value: unknown) => typeof value === 'function';
  const pick = (module: object, exportName?: string) =>
    pickExport(module as Record<string, unknown>, exportName, ['application', 'app'], isFunction);

  it('is the default, or else one with a usual name', () => {
    const other = (): string[] => [];
    expect(pick({ default: app, application: other })).to.deep.equal({ found: true, name: 'default', value: app });
    expect(pick({ application: app, app: other })).to.include({ name: 'application' });
    expect(pick({ helper: other, app })).to.include({ name: 'app', value: app });
  });

  it('is the one with the name given', () => {
    expect(pick({ default: () => [], handler: app }, 'handler')).to.include({ name: 'handler', value: app });
    expect(pick({ default: app, handler: 1 }, 'handler'), 'even if it is no application').to.include({ value: 1 });
  });

  it('is found in the forms of CommonJS', () => {
    expect(pick({ default: { default: app, __esModule: true } }), 'transpiled').to.include({
      name: 'default',
      value: app,
    });
    expect(pick({ default: { default: app } }), 'transpiled, marker not enumerable').to.include({ value: app });
    expect(pick({ 'default': { app }, 'module.exports': { app } }), 'exports.app').to.include({
      name: 'app',
      value: app,
    });
    expect(pick({ default: { handler: app } }, 'handler')).to.include({ name: 'handler', value: app });
    expect(unwrapDefault({ default: 1, fetch: app }), 'an object of its own').to.deep.equal({ default: 1, fetch: app });
  });

  it('is the first that there is when none fits, so that it can be described', () => {
    expect(pick({ default: { a: 1 } })).to.deep.equal({ found: true, name: 'default', value: { a: 1 } });
  });

  it('is none, with the names that there are', () => {
    expect(pick({ handler: app, other: 1 })).to.deep.equal({ found: false, names: ['handler', 'other'] });
    expect(pick({ 'default': { run: app }, 'module.exports': { run: app } }, 'nope')).to.deep.equal({
      found: false,
      names: ['default', 'run'],
    });
    expect(pick({})).to.deep.equal({ found: false, names: [] });
  });
});
