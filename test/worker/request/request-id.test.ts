import { expect } from 'chai';
import { makeRequestId, RequestNaming } from '../../../src/worker/request/request-id.ts';

const naming = (header = 'X-Request-Id') => new RequestNaming({ requestIdHeader: header, sendRequestId: true });
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('request ids', () => {
  it('that are made are all different, and such as would be taken from others', () => {
    const ids = Array.from({ length: 3000 }, makeRequestId);
    expect(new Set(ids).size).to.equal(3000);
    for (const id of ids) expect(naming().received({ HTTP_X_REQUEST_ID: id }).requestId).to.equal(id);
  });

  for (const id of [
    'a',
    '7f3f9c1e-3b0a-4f0e-9a53-6c1f8f3b2a10',
    '1-67891233-abcdef012345678912345678',
    'Root=1-67891233-abcdef012345678912345678',
    'AbC.d_e~f+g/h==',
    'urn:x:y@z',
    'x'.repeat(128),
  ]) {
    it(`may be '${id}'`, () => expect(naming().received({ HTTP_X_REQUEST_ID: id }).requestId).to.equal(id));
  }

  for (const id of ['', ' a', 'a b', 'a, b', 'a"b', 'a\\b', 'a\tb', 'é', 'a;b', 'a\n', '<x>', 'x'.repeat(129)]) {
    it(`may not be ${JSON.stringify(id)}`, () => {
      expect(naming().received({ HTTP_X_REQUEST_ID: id }).requestId).to.equal(undefined);
    });
  }

  it('come in the header of the option, traceparent in its own', () => {
    const variables = { HTTP_X_REQUEST_ID: 'a', HTTP_X_CORRELATION_ID: 'b', HTTP_TRACEPARENT: traceparent };
    expect(naming('x-correlation-id').received(variables)).to.deep.equal({ requestId: 'b', traceparent });
    expect(naming().received({})).to.deep.equal({ requestId: undefined, traceparent: undefined });
  });

  it('go into a response head, unless the application has put one there', () => {
    const head = 'HTTP/1.1 200 OK\r\nA: x-request-id: b\r\n\r\n';
    expect(naming().addTo(head, 'id')).to.equal('HTTP/1.1 200 OK\r\nA: x-request-id: b\r\nX-Request-Id: id\r\n\r\n');
    const own = 'HTTP/1.1 200 OK\r\nx-request-id: mine\r\n\r\n';
    expect(naming().addTo(own, 'id')).to.equal(own);
  });
});
