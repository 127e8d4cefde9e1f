import { expect } from 'chai';
import { environmentLayer, type Environment } from '../../src/cli/environment.ts';
import { optionNames, variableNames } from '../../src/shared/options/names.ts';

describe('environment', () => {
  const values = (environment: Environment) =>
    Object.fromEntries(
      [...environmentLayer(environment, '/srv').layer.settings].map(([name, { value }]) => [name, value]),
    );

  it('holds a variable for each option', () => {
    const variables = optionNames.map((name) => variableNames(name)[0]).filter((variable) => variable !== undefined);
    const { layer } = environmentLayer(Object.fromEntries(variables.map((variable) => [variable, '1'])), '/srv');
    expect(layer.kind).to.equal('environment');
    expect(layer.settings.size).to.equal(variables.length);
    expect(layer.settings.get('maxHead')).to.deep.equal({
      value: '1',
      label: 'EVY_MAX_HEAD',
      origin: 'EVY_MAX_HEAD',
      folder: '/srv',
    });
  });

  it("prefers evy's own variable to a platform's", () => {
    expect(values({ PORT: '1', WEB_CONCURRENCY: '2' })).to.deep.equal({ port: '1', workers: '2' });
    expect(values({ EVY_PORT: '3', PORT: '1' })).to.deep.equal({ port: '3' });
    expect(environmentLayer({ PORT: '1' }, '/srv').layer.settings.get('port')).to.include({ label: 'PORT' });
  });

  it('takes an empty variable as unset', () => {
    expect(values({ PORT: '', EVY_WORKERS: '' })).to.deep.equal({});
    expect(values({ EVY_PORT: '', PORT: '1' })).to.deep.equal({ port: '1' });
  });

  it('splits lists at commas', () => {
    expect(values({ EVY_BIND: ':80, unix:/run/a.sock,', EVY_LOG_FORMAT: 'a,b' })).to.deep.equal({
      bind: [':80', 'unix:/run/a.sock'],
      logFormat: 'a,b',
    });
  });

  it('reports variables that are nearly an option, and leaves those of others alone', () => {
    const suspects = (environment: Environment) => environmentLayer(environment, '/srv').suspects;
    expect(suspects({ EVY_WORKRES: '2', EVY_MAXHEAD: '1' })).to.deep.equal([
      { variable: 'EVY_MAXHEAD', meant: 'EVY_MAX_HEAD' },
      { variable: 'EVY_WORKRES', meant: 'EVY_WORKERS' },
    ]);
    const others = {
      EVY_TEST_RUN: '1',
      EVY_TEST_COMMAND: '1',
      EVY_TEST_NODE: '1',
      EVY_PRIVATE_API: 'off',
      EVY_DATABASE_URL: 'x',
      WORKRES: '1',
      HOME: '/',
    };
    expect(suspects(others)).to.deep.equal([]);
  });
});
