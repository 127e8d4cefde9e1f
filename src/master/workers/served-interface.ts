/** How the workers serve the application, for the log. */
import type { InterfaceName } from '../../shared/application.ts';
import type { LogFields } from '../../shared/log/log.ts';

/** The interface that a worker detected for its application. */
export interface Served {
  readonly interface: InterfaceName;
  readonly isGuess: boolean;
}

/** Adds how to change the interface when it was only guessed. */
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
