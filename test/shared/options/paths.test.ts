import { expect } from 'chai';
import { absolutePaths } from '../../../src/shared/options/paths.ts';

describe('option paths', () => {
  it('resolves what names a file or a module', () => {
    expect(absolutePaths('app', 'src/app.ts:handler', '/srv')).to.equal('/srv/src/app.ts:handler');
    expect(absolutePaths('middleware', ['a.js', '/b.js'], '/srv')).to.deep.equal(['/srv/a.js', '/b.js']);
    expect(absolutePaths('certfile', '../cert.pem', '/srv/app')).to.equal('/srv/cert.pem');
  });

  it('leaves words that are no paths', () => {
    expect(absolutePaths('app', 'file:///a.js', '/srv')).to.equal('file:///a.js');
    expect(absolutePaths('accessLog', '-', '/srv')).to.equal('-');
    expect(absolutePaths('accessLog', 'off', '/srv')).to.equal('off');
    expect(absolutePaths('accessLog', 'access.log', '/srv')).to.equal('/srv/access.log');
    expect(absolutePaths('pidfile', '', '/srv')).to.equal('');
    expect(absolutePaths('host', 'localhost', '/srv')).to.equal('localhost');
    expect(absolutePaths('certfile', 12, '/srv'), 'the check refuses it').to.equal(12);
  });

  it('resolves unix addresses alone', () => {
    const binds = ['127.0.0.1:80', 'unix:run/a.sock', 'tls:unix:b.sock', 'fd:3'];
    expect(absolutePaths('bind', binds, '/srv')).to.deep.equal([
      '127.0.0.1:80',
      'unix:/srv/run/a.sock',
      'tls:unix:/srv/b.sock',
      'fd:3',
    ]);
  });
});
