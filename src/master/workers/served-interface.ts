/** Which interface the workers serve an application by, as the log has it. */
import type { InterfaceName } from '../../shared/application.ts';
import type { LogFields } from '../../shared/log/log.ts';

/** What a worker that became ready has taken its application for. */
export interface Served {
  readonly interface: InterfaceName;
  readonly isGuess: boolean;
}

/** Says how to change it where nothing of the application says it. */
export function interfaceFields(served: Served | undefined): LogFields {
  if (served === undefined) return {};
  const { interface: taken, isGuess } = served;
  if (!isGuess) return { interface: taken };
  const other = taken === 'node' ? 'wsgi' : 'node';
  return {
    interface: taken,
    interfaceGuessed: `the parameters of the application do not say; --interface ${other} makes it ${other}`,
  };
}
