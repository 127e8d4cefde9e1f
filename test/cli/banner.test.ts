import { expect } from 'chai';
import { addressUrl, banner } from '../../src/cli/banner.ts';

describe('banner', () => {
  it('shows addresses as a browser takes them', () => {
    expect(addressUrl('127.0.0.1:8080')).to.equal('http://127.0.0.1:8080/');
    expect(addressUrl('tls:[::1]:443')).to.equal('https://[::1]:443/');
    expect(addressUrl('unix:/run/a.sock')).to.equal('unix:/run/a.sock');
    expect(addressUrl('tls:unix:/run/a.sock')).to.equal('tls:unix:/run/a.sock');
  });

  it('says where, with how many workers, and how to reload and stop', () => {
    const text = banner({ addresses: ['127.0.0.1:8080', '[::1]:81'], workers: 2, masterPid: 77 });
    expect(text).to.include('http://127.0.0.1:8080/ and http://[::1]:81/ with 2 workers\n');
    expect(text).to.include('kill -HUP 77').and.to.include('Ctrl-C, or kill 77');
    expect(banner({ addresses: [], workers: 1, masterPid: 1 })).to.include('1 worker\n');
  });
});
