/** Starts a new master in the place of this one. */
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Moves } from '../migration/moves.ts';
import { formatLegacy } from '../sockets/inherited-sockets.ts';
import type { CrewSize } from '../sockets/inherited-sockets.ts';
import { tellMainPid } from './main-pid.ts';
import { ownCommand } from './own-command.ts';
import { Successor } from './next-master.ts';
import type { SuccessorNews } from './next-master.ts';

export interface LaunchParts {
  readonly listeners: readonly Listener[];
  readonly directory: string;
  readonly logger: Logger;
  readonly moves: Moves;
  readonly size: CrewSize;
}

/**
 * A new master is reported ready only when the service manager knows it: this process may end right after that.
 * @throws {EvyError} NOT_SUPPORTED where this master's sockets cannot be inherited
 */
export function launchSuccessor(
  { listeners, directory, logger, moves, size }: LaunchParts,
  report: (successor: Successor, news: SuccessorNews) => void,
): Successor {
  const fds = listeners.flatMap(({ fd }) => (fd === undefined ? [] : [fd]));
  if (fds.length < listeners.length)
    throw new EvyError(
      'NOT_SUPPORTED',
      'sockets cannot be inherited here (see master.fallback in the log); restart instead',
    );
  const legacy = formatLegacy(
    listeners.map(({ key, address }) => ({ key, name: address.name })),
    process.pid,
    size,
  );
  const command = ownCommand(process, directory);
  const announce = async (news: SuccessorNews): Promise<void> => {
    const fault = await tellMainPid(successor.pid!);
    if (fault !== undefined)
      logger.warn('master.fallback', { message: 'the service manager was not told', reason: fault });
    report(successor, news);
  };
  const successor: Successor = new Successor(
    { command, fds, legacy, env: process.env },
    (news) => {
      if (news.type === 'ready') void announce(news);
      else report(successor, news);
    },
    moves.take,
  );
  return successor;
}
