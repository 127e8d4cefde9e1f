import { expect } from 'chai';
import type { Generation } from '../../../src/master/generations/generation.ts';
import { ignoredOptions, IgnoredOptions } from '../../../src/master/generations/ignored-options.ts';
import { silentLogger, type LogFields } from '../../../src/shared/log/log.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';

const options = resolveInput({
  app: 'app.js',
  bodyMinRate: 1000,
  pipelineDepth: 64,
  maxBody: 5,
  maxHttpVersion: 'HTTP/1.0',
});

describe('options that an interface does not heed', () => {
  it('are those that were set to something, and do not apply', () => {
    expect(ignoredOptions('node', options)).to.deep.equal(['bodyMinRate', 'maxHttpVersion']);
    expect([ignoredOptions('wsgi', options), ignoredOptions('fetch', options)]).to.deep.equal([[], []]);
  });

  it('are told once a generation', () => {
    const lines: LogFields[] = [];
    const told = new IgnoredOptions({
      ...silentLogger,
      warn: (event, fields) => void lines.push({ event, ...fields }),
    });
    const generation = { options } as Generation;
    told.workerReady(generation, 'node');
    told.workerReady(generation, 'node');
    expect(lines.map(({ event, option }) => [event, option])).to.deep.equal([
      ['option.ignored', 'bodyMinRate'],
      ['option.ignored', 'maxHttpVersion'],
    ]);
  });
});
