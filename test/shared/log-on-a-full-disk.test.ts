import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { createLogger } from '../../src/shared/log.ts';

describe('a log on a full disk', () => {
  it('throws nothing, and keeps a bounded part of what it could not write', function () {
    if (!existsSync('/dev/full')) this.skip();
    const logger = createLogger({ level: 'info', style: 'json', file: '/dev/full' });
    const message = 'm'.repeat(10_000);
    const before = process.memoryUsage.rss();
    // 50 MB of lines, of which 1 MiB is kept.
    for (let line = 0; line < 5_000; line += 1) logger.error('app.failed', { message });
    logger.reopen();
    logger.error('app.failed', { message });
    expect(process.memoryUsage.rss() - before).to.be.below(40_000_000);
  });
});
