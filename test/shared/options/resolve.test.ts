import { expect } from 'chai';
import { EvyError } from '../../../src/shared/errors.ts';
import { optionNames } from '../../../src/shared/options/names.ts';
import { resolveOptions, type Layer, type LayerKind } from '../../../src/shared/options/resolve.ts';
import type { OptionName } from '../../../src/shared/options/table.ts';

const labels: Record<LayerKind, (name: string) => string> = {
  file: (name) => `evy.config.js: ${name}`,
  environment: (name) => `EVY_${name.toUpperCase()}`,
  flags: (name) => `--${name}`,
  call: (name) => `option ${name}`,
};

function layer(kind: LayerKind, values: Partial<Record<OptionName, unknown>>): Layer {
  const settings = Object.entries(values).map(
    ([name, value]) =>
      [name as OptionName, { value, label: labels[kind](name), origin: kind, folder: '/srv' }] as const,
  );
  return { kind, settings: new Map(settings) };
}

function refusal(...layers: Layer[]): string {
  try {
    resolveOptions(layers);
  } catch (error) {
    expect(error).to.be.instanceOf(EvyError);
    expect((error as EvyError).code).to.equal('BAD_OPTION');
    return (error as EvyError).message;
  }
  throw new Error('the options were accepted');
}

describe('option resolution', () => {
  it('starts from the defaults', () => {
    const { options, origins } = resolveOptions([]);
    expect(options.port).to.equal(8080);
    expect(options.graceMs).to.equal(30_000);
    expect(new Set(Object.values(origins))).to.deep.equal(new Set(['default']));
    expect(Object.keys(origins)).to.deep.equal(optionNames);
  });

  it('hands out defaults that a caller may change', () => {
    resolveOptions([]).options.bind.push(':80');
    expect(resolveOptions([]).options.bind).to.deep.equal([]);
  });

  it('lets the higher layer decide and remembers which it was', () => {
    const { options, origins } = resolveOptions([
      layer('file', { port: 1, workers: 2, grace: '10s' }),
      layer('environment', { port: '2', workers: '3' }),
      layer('flags', { port: '3' }),
    ]);
    expect([options.port, options.workers, options.graceMs]).to.deep.equal([3, { least: 3, most: 3 }, 10_000]);
    expect([origins.port, origins.workers, origins.grace]).to.deep.equal(['flags', 'environment', 'file']);
  });

  it('resolves relative paths of each setting against its own folder', () => {
    const { options } = resolveOptions([layer('file', { app: 'app.ts' })]);
    expect(options.app).to.equal('/srv/app.ts');
  });

  it('names the option as it was written, the rule and the value', () => {
    expect(refusal(layer('flags', { port: '99999' }))).to.equal(
      "--port must be a whole number from 0 to 65535 (got '99999')",
    );
    expect(refusal(layer('environment', { workers: 'many' }))).to.equal(
      "EVY_WORKERS must be a whole number from 1 to 1024 or a range like 2..8 (got 'many')",
    );
    expect(refusal(layer('file', { port: true }))).to.equal(
      'evy.config.js: port must be a whole number from 0 to 65535 (got true)',
    );
    expect(refusal(layer('call', { grace: 'soon' }))).to.equal(
      "option grace must be a time such as 500ms, 30s or 5m (a number without a unit is seconds) (got 'soon')",
    );
    expect(refusal(layer('flags', { interface: 'http 2' }))).to.equal(
      "--interface must be one of auto, wsgi, fetch, node (got 'http 2')",
    );
  });

  it('names the upper bound of a time or size that is too large', () => {
    expect(refusal(layer('flags', { grace: '104249992d' }))).to.equal(
      "--grace must be a time of at most 104249991d (got '104249992d')",
    );
    expect(refusal(layer('flags', { keepalive: '200000000d' }))).to.include(
      '--keepalive must be a time of at most 104249991d',
    );
    expect(refusal(layer('flags', { maxBody: '8388608GiB' }))).to.equal(
      "--maxBody must be a size of at most 8388607GiB (got '8388608GiB')",
    );
    expect(
      resolveOptions([layer('flags', { maxBody: '8388607GiB', grace: '104249991d' })]).options.maxBodyBytes,
    ).to.equal(8_388_607 * 2 ** 30);
  });

  it('has a rule of its own words for every kind of value', () => {
    for (const name of optionNames)
      expect(refusal(layer('file', { [name]: Number.NaN })), name).to.match(/ must be .+ \(got null\)$/);
  });

  it('names the entry of a list that is wrong', () => {
    const peers = 'must be an address, a network such as 10.0.0.0/8, unix, loopback or private, or a list of these';
    expect(refusal(layer('flags', { trustedProxies: ['10.0.0.1', 'localhost'] }))).to.equal(
      `--trustedProxies ${peers} (got 'localhost')`,
    );
    expect(refusal(layer('file', { proxyProtocol: '10.0.0.0/33' }))).to.equal(
      `evy.config.js: proxyProtocol ${peers} (got '10.0.0.0/33')`,
    );
    expect(refusal(layer('flags', { trustedHeaders: ['x-forwarded-for', 'x-real-ip'] }))).to.match(
      /^--trustedHeaders must be one or more of forwarded, .+ \(got 'x-real-ip'\)$/,
    );
    expect(refusal(layer('flags', { requestIdHeader: 'X_Request_Id' }))).to.equal(
      "--requestIdHeader must be a header name made of letters, digits and hyphens (got 'X_Request_Id')",
    );
  });

  it('names all wrong values, one on a line', () => {
    const lines = refusal(layer('flags', { port: 'x', workers: '0' })).split('\n');
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include('--port');
    expect(lines[1]).to.include('--workers');
  });

  it('shortens a long value', () => {
    expect(refusal(layer('flags', { port: 'x'.repeat(500) })).length).to.be.below(200);
  });

  it('checks what decides only: a wrong value that nothing reads harms nobody', () => {
    const { options } = resolveOptions([
      layer('environment', { port: 'tcp://10.0.0.1' }),
      layer('flags', { port: '80' }),
    ]);
    expect(options.port).to.equal(80);
  });

  describe('bind against host and port', () => {
    it('lets the higher layer win', () => {
      const bindWins = resolveOptions([layer('file', { port: 1 }), layer('flags', { bind: [':2'] })]);
      expect(bindWins.options.bind).to.deep.equal([':2']);
      expect(bindWins.origins.port).to.equal('default');
      const portWins = resolveOptions([layer('file', { bind: [':2'] }), layer('environment', { port: '1' })]);
      expect(portWins.options.bind).to.deep.equal([]);
      expect(portWins.options.port).to.equal(1);
    });

    it('lets bind win in the environment, where platforms put PORT', () => {
      const { options } = resolveOptions([layer('environment', { bind: [':2'], port: 'tcp://10.0.0.1' })]);
      expect(options.bind).to.deep.equal([':2']);
    });

    it('refuses both in one place', () => {
      for (const kind of ['flags', 'file', 'call'] as const) {
        expect(refusal(layer(kind, { bind: [':2'], port: 1 }))).to.equal(
          `${labels[kind]('bind')} and ${labels[kind]('port')} both set the address: leave one out`,
        );
      }
    });

    it('takes the host for a bind that is a port alone', () => {
      const { options } = resolveOptions([layer('flags', { bind: ['tls:9000'], host: '0.0.0.0' })]);
      expect([options.bind, options.host]).to.deep.equal([['tls:9000'], '0.0.0.0']);
      expect(refusal(layer('flags', { bind: ['9000'], port: '1' }))).to.include('--bind and --port');
    });
  });
});
